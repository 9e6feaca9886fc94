import { floor } from "./floor.ts";
import { anything, between } from "./interval.ts";
import type { Operator } from "./operator.ts";

/** y = the nearest whole number, the even one of two; by the rules of Floor. ONNX Round-22. */
export const round: Operator = {
  ...floor,
  interval: ([x = anything]) => between(Math.floor(x.least), Math.ceil(x.most), x.holds),
};
