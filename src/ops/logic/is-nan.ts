import type { Operator } from "../rules/operator.ts";
import { rareNumber } from "./rare-number.ts";

/** Whether x is not a number. ONNX IsNaN-20. */
export const isNan: Operator = rareNumber;
