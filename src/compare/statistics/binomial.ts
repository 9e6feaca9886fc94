import type { Estimate } from "./bootstrap.ts";

/**
 * The proportion of successes with its exact 95 % interval (Clopper & Pearson, 1934): the probabilities under which
 * this many successes or more, and this many or fewer, would each occur in 2.5 % of cases. NaN for no trials.
 */
export function binomial(successes: number, trials: number): Estimate {
  if (trials === 0) return { value: Number.NaN, low: Number.NaN, high: Number.NaN };
  const atLeast = (share: number) => 1 - atMost(successes - 1, trials, share);
  return {
    value: successes / trials,
    low: successes === 0 ? 0 : solve((share) => atLeast(share) - 0.025),
    high: successes === trials ? 1 : solve((share) => 0.025 - atMost(successes, trials, share)),
  };
}

/** The probability of `most` successes or fewer. */
function atMost(most: number, trials: number, share: number): number {
  let term = (1 - share) ** trials;
  let sum = 0;
  for (let count = 0; count <= most; count++) {
    sum += term;
    term *= ((trials - count) / (count + 1)) * (share / (1 - share));
  }
  return sum;
}

/** The zero in (0, 1) of an increasing function that starts below zero. */
function solve(rising: (share: number) => number): number {
  let low = 0;
  let high = 1;
  for (let halving = 0; halving < 60; halving++) {
    const middle = (low + high) / 2;
    if (rising(middle) < 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
