import { productOfDims } from "../../graph/dim.ts";
import { int } from "../../graph/model.ts";
import { float32 } from "../../tensor/tensor.ts";
import { transpose } from "../rules/gradient.ts";
import type { GraphCall, Unfolded } from "../rules/operator.ts";
import { type Window, windowAttributes } from "./window.ts";

// Letters: N batch, C channels, K kernel offsets, P output positions, M filters.

/**
 * The patch of X that each output of a convolution is computed from, as rows [N·P, C·K] in the order of a
 * filter [C, kernel] (im2col). One-hot filters, applied to each channel separately, also handle padding,
 * stride and dilation.
 */
export function unfoldConv(call: GraphCall, window: Window): Unfolded {
  const { graph } = call;
  const x = call.node.inputs[0] as string;
  const positions = productOfDims(call.output(0).shape.slice(2));
  if (typeof positions !== "number") {
    return call.unruled("can be unfolded only if its output's spatial sizes are numbers", positions);
  }
  const sizes = (name: string, start: number, end?: number) =>
    graph.emit("Shape", [name], { start: int(start), ...(end === undefined ? {} : { end: int(end) }) });
  const join = (...parts: readonly string[]) => graph.emit("Concat", parts, { axis: int(0) });
  const alone = graph.emit("Reshape", [x, join(graph.vector([-1, 1]), sizes(x, 2))]);
  const taps = window.kernel.reduce((count, size) => count * size, 1);
  const filters = graph.constant(`unfold ${window.kernel.join(",")}`, () =>
    float32(
      [taps, 1, ...window.kernel],
      Float32Array.from({ length: taps * taps }, (_, at) => (at % (taps + 1) === 0 ? 1 : 0)),
    ),
  );
  const shifted = graph.emit("Conv", [alone, filters], windowAttributes(window));
  const columns = graph.emit("Reshape", [shifted, join(sizes(x, 0, 1), graph.vector([-1, positions]))]);
  return {
    rows: rowsOf(call, columns),
    fanInLast: true,
    outputRows: (value) => rowsOf(call, flat(call, value)),
  };
}

/** [N, M, spatial] as [N, M, P]. */
function flat({ graph }: GraphCall, value: string): string {
  return graph.emit("Reshape", [value, graph.vector([0, 0, -1])]);
}

/** [N, channels, P] as [N·P, channels]. */
function rowsOf(call: GraphCall, value: string): string {
  const { graph } = call;
  const last = transpose(call, value, [0, 2, 1]);
  const width = graph.emit("Shape", [last], { start: int(2) });
  return graph.emit("Reshape", [last, graph.emit("Concat", [graph.vector([-1]), width], { axis: int(0) })]);
}
