import { elementwiseBound } from "../rules/bounds.ts";
import { flowThroughZero, inferUnary } from "../rules/broadcast.ts";
import { between } from "../rules/interval.ts";
import type { Operator } from "../rules/operator.ts";

/** y = arctan x. ONNX Atan-22. */
export const atan: Operator = {
  infer: inferUnary,
  gradient(call) {
    const x = call.node.inputs[0] as string;
    const square = call.graph.emit("Mul", [x, x]);
    return [call.graph.emit("Div", [call.upstream, call.graph.emit("Add", [call.graph.scalar(1), square])])];
  },
  axes: flowThroughZero,
  // A little more than π/2, which float32 rounds up.
  interval: () => between(-1.5708, 1.5708),
  rounding: elementwiseBound(1, 4),
};
