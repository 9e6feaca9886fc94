import { addBounds, computedBound, magnitude, tiniest, unitRoundoff } from "../rules/bounds.ts";
import { flowNotAtZero, inferUnary } from "../rules/broadcast.ts";
import { anything, between, quotient } from "../rules/interval.ts";
import type { Operator } from "../rules/operator.ts";

/** y = 1 / x. ONNX Reciprocal-13. */
export const reciprocal: Operator = {
  infer: inferUnary,
  gradient(call) {
    const y = call.node.outputs[0] as string;
    const slope = call.graph.emit("Neg", [call.graph.emit("Mul", [y, y])]);
    return [call.graph.emit("Mul", [call.upstream, slope])];
  },
  axes: flowNotAtZero,
  interval: ([x = anything]) => quotient(between(1, 1), x),
  rounding(call) {
    const [bound] = call.inputBounds;
    const own = computedBound(call, 2 * unitRoundoff);
    if (bound === undefined) return own;
    // |1/x − 1/x̂| ≤ |ŷ|·δ / (|x̂| − δ), infinite where x may be 0.
    const x = magnitude(call, call.node.inputs[0] as string);
    const divisor = call.graph.emit("Max", [call.graph.emit("Sub", [x, bound]), call.graph.scalar(tiniest)]);
    const y = magnitude(call, call.node.outputs[0] as string);
    const carried = call.graph.emit("Div", [call.graph.emit("Mul", [y, bound]), divisor]);
    return addBounds(call, carried, own, own);
  },
};
