import { comparison } from "./comparison.ts";
import type { Operator } from "./operator.ts";

/** y = a ≥ b, broadcast. ONNX GreaterOrEqual-16. */
export const greaterOrEqual: Operator = comparison;
