import { elementwiseBound } from "../rules/bounds.ts";
import { flowUnary, inferUnary } from "../rules/broadcast.ts";
import { alwaysBetween } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";

/** y = cos x. ONNX Cos-22. */
export const cos: Operator = {
  infer: inferUnary,
  gradient(call) {
    const slope = call.graph.emit("Neg", [call.graph.emit("Sin", [call.node.inputs[0] as string])]);
    return [call.graph.emit("Mul", [call.upstream, slope])];
  },
  axes: flowUnary,
  interval: alwaysBetween(-1, 1),
  rounding: elementwiseBound(1, 4),
};
