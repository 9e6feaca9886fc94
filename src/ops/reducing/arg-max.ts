import type { Dim } from "../../graph/dim.ts";
import { int } from "../../graph/model.ts";
import type { Operator } from "../rules/operator.ts";
import { flopsReduction } from "./reduction.ts";

/** The position of the largest entry along an axis. ONNX ArgMax-13. */
export const argMax: Operator = {
  infer(call) {
    const shape = call.shape(0);
    const reduced = call.axis(call.int("axis", 0), shape.length);
    const kept = call.int("keepdims", 1) !== 0;
    return [
      {
        dtype: "int64",
        shape: kept
          ? shape.map((dim, axis) => (axis === reduced ? 1 : dim))
          : shape.filter((_, axis) => axis !== reduced),
      },
    ];
  },
  gradient: "none",
  axes: () => ({ ties: [] }),
  rounding(call) {
    if (call.inputBounds[0] === undefined) return undefined;
    // If the entries are uncertain, any position may win.
    const reduced = call.axis(call.int("axis", 0), call.rank(0));
    const dim: Dim | undefined = call.shape(0)[reduced];
    const dimension = () =>
      call.graph.emit("Gather", [call.graph.emit("Shape", [call.node.inputs[0] as string]), index()]);
    const index = () => call.graph.emit("Squeeze", [call.graph.vector([reduced]), call.graph.vector([0])]);
    const size =
      typeof dim === "number"
        ? call.graph.scalar(dim)
        : call.graph.emit("Cast", [dimension()], { to: int(1) });
    const shape = call.graph.emit("Shape", [call.node.outputs[0] as string]);
    return call.graph.emit("Expand", [size, shape]);
  },
  flops: flopsReduction,
};
