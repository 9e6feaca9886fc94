import { comparison } from "./comparison.ts";
import type { Operator } from "./operator.ts";

/** y = a > b, broadcast. ONNX Greater-13. */
export const greater: Operator = comparison;
