import { comparison } from "./comparison.ts";
import type { Operator } from "./operator.ts";

/** y = a ≤ b, broadcast. ONNX LessOrEqual-16. */
export const lessOrEqual: Operator = comparison;
