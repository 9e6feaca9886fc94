import type { Operator } from "../rules/operator.ts";
import { comparison } from "./comparison.ts";

/** y = a ≤ b, broadcast. ONNX LessOrEqual-16. */
export const lessOrEqual: Operator = comparison;
