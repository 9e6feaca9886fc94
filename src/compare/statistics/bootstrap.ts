import { Random } from "../../tensor/random.ts";
import { quantile } from "./quantile.ts";

/** A figure with its 95 % confidence interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export const resamples = 2000;

/**
 * A statistic of values with its percentile bootstrap interval (Efron & Tibshirani, 1993): the 2.5 % and 97.5 %
 * quantiles of the statistic over 2,000 resamples, drawn with replacement. A pure function of the values. NaN if there are no values.
 */
export function bootstrap(
  values: readonly number[],
  statistic: (values: readonly number[]) => number,
): Estimate {
  const value = statistic(values);
  if (values.length === 0) return { value, low: Number.NaN, high: Number.NaN };
  const random = new Random(0, "bootstrap");
  const drawn = Array.from({ length: resamples }, () =>
    statistic(values.map(() => values[random.integer(values.length)] as number)),
  );
  return { value, low: quantile(drawn, 0.025), high: quantile(drawn, 0.975) };
}
