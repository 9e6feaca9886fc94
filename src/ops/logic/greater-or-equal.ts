import type { Operator } from "../rules/operator.ts";
import { comparison } from "./comparison.ts";

/** y = a ≥ b, broadcast. ONNX GreaterOrEqual-16. */
export const greaterOrEqual: Operator = comparison;
