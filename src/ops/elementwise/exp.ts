import { addBounds, computedBound, unitRoundoff } from "../rules/bounds.ts";
import { flowUnary, inferUnary } from "../rules/broadcast.ts";
import { limitsOf, monotone } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";

/** y = eˣ. ONNX Exp-13. */
export const exp: Operator = {
  infer: inferUnary,
  gradient: (call) => [call.graph.emit("Mul", [call.upstream, call.node.outputs[0] as string])],
  axes: flowUnary,
  // e^89 overflows float32: an input not known to be smaller may give infinity.
  interval(inputs, call) {
    const { largest, smallest } = limitsOf(call.input(0).dtype);
    const y = monotone((x) => (Math.exp(x) < smallest ? 0 : Math.exp(x)))(inputs, call);
    return y.most > largest ? { ...y, most: Number.POSITIVE_INFINITY, holds: "infinite" } : y;
  },
  rounding(call) {
    const [bound] = call.inputBounds;
    const own = computedBound(call, 8 * unitRoundoff);
    if (bound === undefined) return own;
    // |eˣ − eˣ̂| ≤ ŷ·(e^δ − 1) ≤ ŷ·δ·e^δ
    const growth = call.graph.emit("Mul", [bound, call.graph.emit("Exp", [bound])]);
    return addBounds(call, call.graph.emit("Mul", [call.node.outputs[0] as string, growth]), own);
  },
};
