import type { Operator } from "../rules/operator.ts";
import { rareNumber } from "./rare-number.ts";

/** Whether x is infinite, with either sign or only the given one. ONNX IsInf-20. */
export const isInf: Operator = rareNumber;
