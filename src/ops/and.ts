import { logical } from "./comparison.ts";
import type { Operator } from "./operator.ts";

/** y = a ∧ b, broadcast. ONNX And-7. */
export const and: Operator = logical(2);
