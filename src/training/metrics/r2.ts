import { square, sumOfErrors, varianceOfTargets } from "./errors.ts";
import { metric, quotient } from "./metric.ts";

/** R²: 1 - mean (x - y)² / variance of y, the share of the variance that is explained; 0 if y does not vary. */
export const r2 = metric("r2", {}, () => ({
  better: "higher",
  tally: (batch) => sumOfErrors(batch, square),
  value(sums, data) {
    const variance = varianceOfTargets(data);
    return variance > 0 ? 1 - quotient(sums) / variance : 0;
  },
}));
