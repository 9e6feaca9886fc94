import { sumOfErrors, unitOf } from "./errors.ts";
import { metric, quotient } from "./metric.ts";

/** Mean |x - y| over examples and outputs, in the units of the data. */
export const meanAbsoluteError = metric("meanAbsoluteError", {}, () => ({
  better: "lower",
  tally: (batch) => sumOfErrors(batch, Math.abs),
  value: (sums, data) => quotient(sums) * unitOf(data),
}));
