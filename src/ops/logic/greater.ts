import type { Operator } from "../rules/operator.ts";
import { comparison } from "./comparison.ts";

/** y = a > b, broadcast. ONNX Greater-13. */
export const greater: Operator = comparison;
