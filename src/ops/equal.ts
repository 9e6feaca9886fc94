import { comparison } from "./comparison.ts";
import type { Operator } from "./operator.ts";

/** y = (a = b), broadcast. ONNX Equal-19. */
export const equal: Operator = comparison;
