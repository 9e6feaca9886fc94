import { elementwiseBound } from "../rules/bounds.ts";
import { flowThroughZero, inferUnary } from "../rules/broadcast.ts";
import { anything, between } from "../rules/interval.ts";
import type { Operator } from "../rules/operator.ts";

/** y = |x|; the derivative at 0 is 0. ONNX Abs-13. */
export const abs: Operator = {
  infer: inferUnary,
  gradient(call) {
    const sign = call.graph.emit("Sign", [call.node.inputs[0] as string]);
    return [call.graph.emit("Mul", [call.upstream, sign])];
  },
  axes: flowThroughZero,
  interval: ([x = anything]) =>
    x.least >= 0 ? x : between(Math.max(0, -x.most), Math.max(-x.least, x.most), x.holds),
  rounding: elementwiseBound(1, 0),
};
