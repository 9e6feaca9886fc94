import { elementwiseBound } from "./bounds.ts";
import { flowUnary, inferUnary } from "./broadcast.ts";
import type { Operator } from "./operator.ts";

/** y = max(x, 0); the derivative at 0 is 0. ONNX Relu-14. */
export const relu: Operator = {
  infer: inferUnary,
  gradient(call) {
    const zero = call.graph.scalar(0);
    const open = call.graph.emit("Greater", [call.node.outputs[0] as string, zero]);
    return [call.graph.emit("Where", [open, call.upstream, zero])];
  },
  flow: flowUnary,
  rounding: elementwiseBound(1, 0),
};
