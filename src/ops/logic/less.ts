import type { Operator } from "../rules/operator.ts";
import { comparison } from "./comparison.ts";

/** y = a < b, broadcast. ONNX Less-13. */
export const less: Operator = comparison;
