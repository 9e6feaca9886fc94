import { anything, between } from "../rules/interval.ts";
import type { Operator } from "../rules/operator.ts";
import { floor } from "./floor.ts";

/** y = the nearest integer, the even one if two are equally near; by the rules of Floor. ONNX Round-22. */
export const round: Operator = {
  ...floor,
  interval: ([x = anything]) => between(Math.floor(x.least), Math.ceil(x.most), x.holds),
};
