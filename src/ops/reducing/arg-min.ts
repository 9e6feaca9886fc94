import type { Operator } from "../rules/operator.ts";
import { argMax } from "./arg-max.ts";

/** The position of the smallest entry along an axis, by the rules of ArgMax. ONNX ArgMin-13. */
export const argMin: Operator = argMax;
