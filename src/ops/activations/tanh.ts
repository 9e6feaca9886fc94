import { elementwiseBound } from "../rules/bounds.ts";
import { flowThroughZero, inferUnary } from "../rules/broadcast.ts";
import { between } from "../rules/interval.ts";
import type { Operator } from "../rules/operator.ts";

/** y = tanh x. ONNX Tanh-13. */
export const tanh: Operator = {
  infer: inferUnary,
  gradient(call) {
    const y = call.node.outputs[0] as string;
    const slope = call.graph.emit("Sub", [call.graph.scalar(1), call.graph.emit("Mul", [y, y])]);
    return [call.graph.emit("Mul", [call.upstream, slope])];
  },
  axes: flowThroughZero,
  interval: () => between(-1, 1),
  rounding: elementwiseBound(1, 8),
};
