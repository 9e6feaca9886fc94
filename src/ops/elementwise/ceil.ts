import { monotone } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";
import { floor } from "./floor.ts";

/** y = ⌈x⌉, by the rules of Floor. ONNX Ceil-13. */
export const ceil: Operator = { ...floor, interval: monotone(Math.ceil) };
