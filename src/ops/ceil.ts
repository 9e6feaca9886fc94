import { floor } from "./floor.ts";
import { monotone } from "./interval-rules.ts";
import type { Operator } from "./operator.ts";

/** y = ⌈x⌉, by the rules of Floor. ONNX Ceil-13. */
export const ceil: Operator = { ...floor, interval: monotone(Math.ceil) };
