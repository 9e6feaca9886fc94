import type { Operator } from "../rules/operator.ts";
import { logical } from "./comparison.ts";

/** y = a ∧ b, broadcast. ONNX And-7. */
export const and: Operator = logical(2);
