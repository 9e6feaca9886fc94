import { input } from "../rules/axis-rule.ts";
import type { Call, Operator } from "../rules/operator.ts";
import { sized } from "../rules/sizes.ts";

/** The sizes asked for: those of axes `start` to `end`, both clamped. */
function sizes(call: Call) {
  const shape = call.shape(0);
  return shape.slice(call.int("start", 0), call.int("end", shape.length));
}

/** The sizes of a tensor, as int64. ONNX Shape-19. */
export const shape: Operator = {
  infer(call) {
    const value = sizes(call);
    return [sized({ dtype: "int64", shape: [value.length] }, value)];
  },
  gradient: "none",
  // The output follows the sizes by itself.
  axes: (call) => ({ ties: [], ends: call.shape(0).map((_, axis) => input(0, axis)) }),
  rounding: () => undefined,
  flops: () => 0,
};
