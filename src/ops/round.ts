import { floor } from "./floor.ts";
import type { Operator } from "./operator.ts";

/** y = the nearest whole number, the even one of two; by the rules of Floor. ONNX Round-22. */
export const round: Operator = floor;
