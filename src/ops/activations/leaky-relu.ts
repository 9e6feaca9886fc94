import { elementwiseBound } from "../rules/bounds.ts";
import { flowThroughZero, inferUnary } from "../rules/broadcast.ts";
import type { Operator } from "../rules/operator.ts";

/** y = x where x > 0, α·x elsewhere (derivative at 0: α). ONNX LeakyRelu-16. */
export const leakyRelu: Operator = {
  infer: inferUnary,
  gradient(call) {
    const open = call.graph.emit("Greater", [call.node.inputs[0] as string, call.graph.scalar(0)]);
    const damped = call.graph.emit("Mul", [call.upstream, call.graph.scalar(call.float("alpha", 0.01))]);
    return [call.graph.emit("Where", [open, call.upstream, damped])];
  },
  axes: flowThroughZero,
  rounding: (call) => elementwiseBound(Math.max(1, Math.abs(call.float("alpha", 0.01))), 1)(call),
};
