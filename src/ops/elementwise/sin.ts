import { elementwiseBound } from "../rules/bounds.ts";
import { flowThroughZero, inferUnary } from "../rules/broadcast.ts";
import { alwaysBetween } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";

/** y = sin x. ONNX Sin-22. */
export const sin: Operator = {
  infer: inferUnary,
  gradient(call) {
    const slope = call.graph.emit("Cos", [call.node.inputs[0] as string]);
    return [call.graph.emit("Mul", [call.upstream, slope])];
  },
  axes: flowThroughZero,
  interval: alwaysBetween(-1, 1),
  rounding: elementwiseBound(1, 4),
};
