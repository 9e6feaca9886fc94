import { logical } from "./comparison.ts";
import type { Operator } from "./operator.ts";

/** y = a ⊕ b, broadcast. ONNX Xor-7. */
export const xor: Operator = logical(2);
