import { guessesOf } from "./labels.ts";
import { metric, quotient } from "./metric.ts";

/** Share of the labels that are among the k classes with the largest logits. */
export const topK = metric(
  "topK",
  {
    k: { default: 5, whole: true, least: 1, says: "the number of classes among which the right one may be" },
  },
  ({ k }) => ({
    name: `top${k}`,
    better: "higher",
    tally(batch) {
      let [right, count] = [0, 0];
      for (const { above } of guessesOf(batch)) {
        if (above < k) right++;
        count++;
      }
      return [right, count];
    },
    value: quotient,
  }),
);
