import { square, sumOfErrors, unitOf } from "./errors.ts";
import { metric, quotient } from "./metric.ts";

/** √ of the mean of (x - y)² over examples and outputs, in the units of the data. */
export const rootMeanSquaredError = metric("rootMeanSquaredError", {}, () => ({
  better: "lower",
  tally: (batch) => sumOfErrors(batch, square),
  value: (sums, data) => Math.sqrt(quotient(sums)) * unitOf(data),
}));
