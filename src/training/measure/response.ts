import { int } from "../../graph/model.ts";
import { outgoingParts, type Response } from "../../growth/plan/probe.ts";
import type { Width } from "../../growth/plan/width.ts";
import { differentiate } from "../graphs/differentiate.ts";
import type { Program } from "../graphs/program.ts";
import type { Asked, Mean, Measured } from "./measurement.ts";
import { sumOfSquares, unitEntries } from "./unit-entries.ts";

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

/** The result of the measurement for the units from `from` on, of `units`. */
export function responseOf(
  means: ReadonlyMap<string, Mean>,
  program: Program,
  width: Width,
  from: number,
  units: number,
): Response {
  const gradientSquares = new Float64Array(units - from);
  const add = (into: Float64Array, entries: readonly Float64Array[], of: (values: Float64Array) => number) =>
    entries.forEach((values, unit) => {
      into[unit] = (into[unit] as number) + of(values);
    });
  for (const part of outgoingParts(width)) {
    const mean = means.get(`gradient ${part.parameter}`);
    if (mean !== undefined) add(gradientSquares, unitEntries(mean, part, units, from), sumOfSquares);
  }
  const activationSquares = new Float64Array(units - from);
  const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
  for (const [index, { layout }] of readsOf(program, width).entries()) {
    const squares = means.get(`squares ${index}`) as Mean;
    add(activationSquares, unitEntries(squares, { axis: 0, layout }, units, from), sum);
  }
  return { gradientSquares, activationSquares };
}
