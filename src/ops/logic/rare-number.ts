import { flowUnary } from "../rules/broadcast.ts";
import { zeroAtZero } from "../rules/contents.ts";
import type { Operator } from "../rules/operator.ts";
import { inferBool } from "./comparison.ts";

/** Rules of a predicate that is false for every finite number, 0 included. */
export const rareNumber: Operator = {
  infer: inferBool(1),
  gradient: "none",
  axes: (call) => ({ ...flowUnary(call), contents: zeroAtZero }),
  // A bound is finite: it does not reach infinity, and a NaN's bound is NaN.
  rounding: () => undefined,
};
