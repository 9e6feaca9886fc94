import { guessesOf } from "./labels.ts";
import { metric, quotient } from "./metric.ts";

/** Share of the labels that have the largest logit, or whose logit is on their side of zero; -100 does not count. */
export const accuracy = metric("accuracy", {}, () => ({
  better: "higher",
  tally(batch) {
    let [right, count] = [0, 0];
    for (const { label, guess } of guessesOf(batch)) {
      if (label === guess) right++;
      count++;
    }
    return [right, count];
  },
  value: quotient,
}));
