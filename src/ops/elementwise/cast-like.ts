import { input } from "../rules/axis-rule.ts";
import type { Operator } from "../rules/operator.ts";
import { castTo } from "./cast.ts";

const rules = castTo((call) => call.input(1).dtype);

/** y = x in the element type of another value, which is used for nothing else. ONNX CastLike-19. */
export const castLike: Operator = {
  ...rules,
  axes: (call) => ({ ...rules.axes(call), ends: call.shape(1).map((_, axis) => input(1, axis)) }),
};
