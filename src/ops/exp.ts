import { addBounds, computedBound, unitRoundoff } from "./bounds.ts";
import { flowUnary, inferUnary } from "./broadcast.ts";
import type { Operator } from "./operator.ts";

/** y = eˣ. ONNX Exp-13. */
export const exp: Operator = {
  infer: inferUnary,
  gradient: (call) => [call.graph.emit("Mul", [call.upstream, call.node.outputs[0] as string])],
  flow: flowUnary,
  rounding(call) {
    const [bound] = call.inputBounds;
    const own = computedBound(call, 8 * unitRoundoff);
    if (bound === undefined) return own;
    // |eˣ − eˣ̂| ≤ ŷ·(e^δ − 1) ≤ ŷ·δ·e^δ
    const growth = call.graph.emit("Mul", [bound, call.graph.emit("Exp", [bound])]);
    return addBounds(call, call.graph.emit("Mul", [call.node.outputs[0] as string, growth]), own);
  },
};
