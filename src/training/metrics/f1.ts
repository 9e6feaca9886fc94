import { classesOf, guessesOf } from "./labels.ts";
import { metric } from "./metric.ts";

/**
 * Macro F1, like `sklearn.metrics.f1_score(average="macro")`: the mean over the classes of 2·right / (guessed + true), for
 * classes that were guessed or are true at least once.
 */
export const f1 = metric("f1", {}, () => ({
  better: "higher",
  // For each class: right guesses, guesses plus labels.
  tally(batch) {
    const sums = new Array<number>(2 * classesOf(batch)).fill(0);
    const add = (at: number) => {
      sums[at] = (sums[at] as number) + 1;
    };
    for (const { label, guess } of guessesOf(batch)) {
      if (label === guess) add(2 * label);
      add(2 * label + 1);
      add(2 * guess + 1);
    }
    return sums;
  },
  value(sums) {
    const scores: number[] = [];
    for (let at = 0; at < sums.length; at += 2) {
      const [right, all] = [sums[at] as number, sums[at + 1] as number];
      if (all > 0) scores.push((2 * right) / all);
    }
    return scores.reduce((sum, score) => sum + score, 0) / scores.length;
  },
}));
