import { addBounds, computedBound, tiniest, unitRoundoff } from "../rules/bounds.ts";
import { flowNotAtZero, inferUnary } from "../rules/broadcast.ts";
import { anything, notANumber } from "../rules/interval.ts";
import { monotone } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";

/** y = ln x. ONNX Log-13. */
export const log: Operator = {
  infer: inferUnary,
  gradient: (call) => [call.graph.emit("Div", [call.upstream, call.node.inputs[0] as string])],
  axes: flowNotAtZero,
  interval(inputs, call) {
    const { least } = inputs[0] ?? anything;
    if (least < 0) return notANumber;
    const y = monotone(Math.log)(inputs, call);
    return least === 0 ? { ...y, holds: "infinite" } : y;
  },
  rounding(call) {
    const [bound] = call.inputBounds;
    const own = computedBound(call, 8 * unitRoundoff);
    if (bound === undefined) return own;
    // |ln x − ln x̂| ≤ δ / (x̂ − δ), infinite where x may be 0.
    const least = call.graph.emit("Sub", [call.node.inputs[0] as string, bound]);
    const divisor = call.graph.emit("Max", [least, call.graph.scalar(tiniest)]);
    return addBounds(call, call.graph.emit("Div", [bound, divisor]), own);
  },
};
