import { int, text } from "../graph/model.ts";
import { movedBound } from "./bounds.ts";
import { zerosLike } from "./gradient.ts";
import type { Operator } from "./operator.ts";

/** y[i, j, …] = data[…, indices[i, j, …], …], looked up along an axis. ONNX GatherElements-13. */
export const gatherElements: Operator = {
  infer: (call) => [{ dtype: call.input(0).dtype, shape: call.shape(1) }],
  gradient(call) {
    const [data, indices] = call.node.inputs as [string, string];
    const axis = int(call.axis(call.int("axis", 0), call.rank(0)));
    const zeros = zerosLike(call, data);
    return [
      call.graph.emit("ScatterElements", [zeros, indices, call.upstream], { axis, reduction: text("add") }),
    ];
  },
  flow: () => ({ ties: [] }),
  rounding: movedBound,
  flops: () => 0,
};
