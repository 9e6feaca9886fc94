import { logical } from "./comparison.ts";
import type { Operator } from "./operator.ts";

/** y = a ∨ b, broadcast. ONNX Or-7. */
export const or: Operator = logical(2);
