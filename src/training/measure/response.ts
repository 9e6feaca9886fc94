import { unitPositions } from "../../graph/layout.ts";
import { int } from "../../graph/model.ts";
import type { Response } from "../../growth/probe.ts";
import type { Width, WidthPart } from "../../growth/width.ts";
import { axisView } from "../../tensor/axis.ts";
import { differentiate } from "../differentiate.ts";
import type { Program } from "../program.ts";
import type { Asked, Mean, Measured } from "./measurement.ts";

/** The weights that read a width. */
export const outgoingParts = (width: Width): readonly WidthPart[] =>
  width.parts.filter(({ role }) => role === "outgoing");

/** dL/d(outgoing weights), and the squared activations that they read, summed over all axes but the width's. */
export const responseMeasured: Measured = {
  kind: "response",
  write(program, width) {
    const { graph, loss } = program;
    const asked = new Map<string, Asked>();
    const parameters = [...new Set(outgoingParts(width).map(({ parameter }) => parameter))];
    for (const [parameter, value] of differentiate(graph, loss, parameters)) {
      asked.set(`gradient ${parameter}`, { value, over: "mean" });
    }
    for (const [index, { value, axis }] of readsOf(program, width).entries()) {
      const others = graph.typeOf(value).shape.flatMap((_, at) => (at === axis ? [] : [at]));
      const squares = graph.emit("ReduceSumSquare", [value, graph.vector(others)], { keepdims: int(0) });
      asked.set(`squares ${index}`, { value: squares, over: "sum" });
    }
    return asked;
  },
};

const readsOf = (program: Program, width: Width) =>
  width.reads.filter(({ value }) => program.graph.has(value));

/** What the measurement says of units `from` to `to - 1` of a width. */
export function responseOf(
  means: ReadonlyMap<string, Mean>,
  program: Program,
  width: Width,
  from: number,
  to: number,
): Response {
  const gradientSquares = new Float64Array(to - from);
  for (const { parameter, axis, layout } of outgoingParts(width)) {
    const mean = means.get(`gradient ${parameter}`);
    if (mean === undefined) continue;
    const { perUnit, positions } = unitPositions(layout, to);
    const { outer, size, inner } = axisView(mean.dims, axis);
    for (let unit = from; unit < to; unit++) {
      let sum = 0;
      for (const position of positions.subarray(unit * perUnit, (unit + 1) * perUnit)) {
        for (let block = 0; block < outer; block++) {
          const start = (block * size + position) * inner;
          for (let at = start; at < start + inner; at++) sum += (mean.data[at] as number) ** 2;
        }
      }
      gradientSquares[unit - from] = (gradientSquares[unit - from] as number) + sum;
    }
  }
  const activationSquares = new Float64Array(to - from);
  for (const [index, { layout }] of readsOf(program, width).entries()) {
    const { data } = means.get(`squares ${index}`) as Mean;
    const { perUnit, positions } = unitPositions(layout, to);
    for (let unit = from; unit < to; unit++) {
      for (const position of positions.subarray(unit * perUnit, (unit + 1) * perUnit)) {
        activationSquares[unit - from] =
          (activationSquares[unit - from] as number) + (data[position] as number);
      }
    }
  }
  return { gradientSquares, activationSquares };
}
