import { addBounds, computedBound, tiniest, unitRoundoff } from "../rules/bounds.ts";
import { flowSteepAtZero, inferUnary } from "../rules/broadcast.ts";
import { anything, notANumber } from "../rules/interval.ts";
import { monotone } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";

/** y = √x. ONNX Sqrt-13. */
export const sqrt: Operator = {
  infer: inferUnary,
  gradient(call) {
    const twice = call.graph.emit("Mul", [call.node.outputs[0] as string, call.graph.scalar(2)]);
    return [call.graph.emit("Div", [call.upstream, twice])];
  },
  axes: flowSteepAtZero,
  interval: (inputs, call) =>
    (inputs[0] ?? anything).least < 0 ? notANumber : monotone(Math.sqrt)(inputs, call),
  rounding(call) {
    const [bound] = call.inputBounds;
    const own = computedBound(call, 2 * unitRoundoff);
    if (bound === undefined) return own;
    // |√x − √x̂| = |x − x̂| / (√x + √x̂) ≤ min(δ/ŷ, √δ)
    const y = call.graph.emit("Max", [call.node.outputs[0] as string, call.graph.scalar(tiniest)]);
    const carried = call.graph.emit("Min", [
      call.graph.emit("Div", [bound, y]),
      call.graph.emit("Sqrt", [bound]),
    ]);
    return addBounds(call, carried, own);
  },
};
