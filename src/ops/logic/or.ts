import type { Operator } from "../rules/operator.ts";
import { logical } from "./comparison.ts";

/** y = a ∨ b, broadcast. ONNX Or-7. */
export const or: Operator = logical(2);
