import { flowUnary } from "../rules/broadcast.ts";
import { zeroAtZero } from "../rules/contents.ts";
import type { Operator } from "../rules/operator.ts";
import { inferBool } from "./comparison.ts";

/** Rules of a question about one number that is false of 0 and of every finite number. */
export const rareNumber: Operator = {
  infer: inferBool(1),
  gradient: "none",
  axes: (call) => ({ ...flowUnary(call), contents: zeroAtZero }),
  // A bound is finite: it does not reach infinity, and a NaN's bound is NaN.
  rounding: () => undefined,
};
