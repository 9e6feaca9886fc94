import { unitPositions } from "../../graph/layout.ts";
import { type Curvature, outgoingParts } from "../../growth/plan/probe.ts";
import type { Width, WidthPart } from "../../growth/plan/width.ts";
import { differentiate } from "../graphs/differentiate.ts";
import type { Asked, Mean, Measured } from "./measurement.ts";
import { fanInFirst, matrixOf, weightGradient } from "./residual.ts";
import { exampleCount, gram, siteOf, sizeAlong } from "./site.ts";

/**
 * Second moments of what the reading weight reads and of the gradients at its outputs: K-FAC's factors. Those of a convolution
 * are a sum over positions and a mean over them (Grosse & Martens, A Kronecker-factored approximate Fisher matrix for
 * convolution layers, ICML 2016, theorem 1).
 */
export const curvatureMeasured: Measured = {
  kind: "curvature",
  write(program, width) {
    const { graph, loss } = program;
    const { node, part, unfolded } = siteOf(program, width, "outgoing");
    const [y = ""] = node.outputs;
    const gradients = differentiate(graph, loss, [part.parameter, y]);
    const count = exampleCount(program);
    // The loss is a mean over the examples: each one's own gradient is larger by their number.
    const own = graph.emit("Mul", [unfolded.outputRows(gradients.get(y) as string), count]);
    const positions = graph.emit("Div", [sizeAlong(program, own, 0), count]);
    return new Map<string, Asked>([
      ["fan-in", { value: gram(program, unfolded.rows), over: "sum" }],
      ["fan-out", { value: graph.emit("Div", [gram(program, own), positions]), over: "sum" }],
      [
        unfolded.fanInLast ? "gradient" : fanInFirst,
        { value: gradients.get(part.parameter) as string, over: "mean" },
      ],
    ]);
  },
};

/** The result of the measurement if the units from `from` on, of `units`, are trial units. */
export function curvatureOf(
  means: ReadonlyMap<string, Mean>,
  width: Width,
  from: number,
  units: number,
): Curvature {
  const fanIn = matrixOf(means.get("fan-in") as Mean);
  const [part] = outgoingParts(width) as [WidthPart];
  const { dims } = (means.get("gradient") ?? means.get(fanInFirst)) as Mean;
  const { perUnit, positions } = unitPositions(part.layout, units);
  // A convolution has several columns for each channel, one for each tap.
  const taps = fanIn.columns / (dims[part.axis] ?? 1);
  const columnsOf = (unit: number) =>
    Array.from(positions.subarray(unit * perUnit, (unit + 1) * perUnit)).flatMap((position) =>
      Array.from({ length: taps }, (_, tap) => position * taps + tap),
    );
  const trial = Array.from({ length: units - from }, (_, index) => columnsOf(from + index));
  const isTrial = new Set(trial.flat());
  const old = Array.from({ length: fanIn.columns }, (_, column) => column).filter(
    (column) => !isTrial.has(column),
  );
  return {
    fanIn,
    fanOut: matrixOf(means.get("fan-out") as Mean),
    gradient: weightGradient(means),
    old,
    trial,
  };
}
