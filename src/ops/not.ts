import { logical } from "./comparison.ts";
import type { Operator } from "./operator.ts";

/** y = ¬a. ONNX Not-1. */
export const not: Operator = logical(1);
