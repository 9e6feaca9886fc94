import type { Operator } from "../rules/operator.ts";
import { rareNumber } from "./rare-number.ts";

/** Whether x is infinite, of either sign or of the one asked for. ONNX IsInf-20. */
export const isInf: Operator = rareNumber;
