import type { Operator } from "../rules/operator.ts";
import { logical } from "./comparison.ts";

/** y = a ⊕ b, broadcast. ONNX Xor-7. */
export const xor: Operator = logical(2);
