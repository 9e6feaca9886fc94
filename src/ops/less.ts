import { comparison } from "./comparison.ts";
import type { Operator } from "./operator.ts";

/** y = a < b, broadcast. ONNX Less-13. */
export const less: Operator = comparison;
