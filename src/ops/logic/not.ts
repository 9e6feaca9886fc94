import type { Operator } from "../rules/operator.ts";
import { logical } from "./comparison.ts";

/** y = ¬a. ONNX Not-1. */
export const not: Operator = logical(1);
