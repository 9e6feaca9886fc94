import { expect, test } from "vitest";
import { binomial } from "./binomial.ts";
import { bootstrap } from "./bootstrap.ts";
import { bestPoint, costTo, lossWithin } from "./curve.ts";
import { median, quantile } from "./quantile.ts";

const never = Number.POSITIVE_INFINITY;

test("quantiles interpolate linearly between the values", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(quantile([10, 20, 30, 40, 50], 0.1)).toBeCloseTo(14, 12);
  expect(quantile([7], 0.9)).toBe(7);
  expect(median([])).toBeNaN();
});

test("runs that never arrived come last, and do not move a median below them", () => {
  expect(median([never, 1, 2])).toBe(2);
  expect(median([never, 1, never])).toBe(never);
  expect(median([1, never])).toBe(never);
  expect(median([never, never, never, 1])).toBe(never);
});

test("the bootstrap of a median over two values is known exactly", () => {
  // Of three draws from {1, 1, 5} the median is 5 if two or three are 5: 7/27 of all, more than 2.5 %.
  expect(bootstrap([1, 1, 5], median)).toEqual({ value: 1, low: 1, high: 5 });
  expect(bootstrap([2, 2, 2], median)).toEqual({ value: 2, low: 2, high: 2 });
  expect(bootstrap([1, 1, never], median).high).toBe(never);
  expect(bootstrap([], median).value).toBeNaN();
});

test("the bootstrap of a mean is close to its normal interval, and reproducible", () => {
  const values = Array.from({ length: 200 }, (_, index) => index % 10);
  const mean = (all: readonly number[]) => all.reduce((sum, value) => sum + value, 0) / all.length;
  const { value, low, high } = bootstrap(values, mean);
  // Deviation of 0..9 is √8.25, of the mean √(8.25 / 200) = 0.2031.
  expect(value).toBe(4.5);
  expect(Math.abs(low - (4.5 - 1.96 * 0.2031))).toBeLessThan(0.05);
  expect(Math.abs(high - (4.5 + 1.96 * 0.2031))).toBeLessThan(0.05);
  expect(bootstrap(values, mean)).toEqual({ value, low, high });
});

test("binomial intervals are Clopper and Pearson's", () => {
  // From tables, and for 0 of n by hand: 1 - 0.025^(1/n).
  const none = binomial(0, 10);
  expect(none.low).toBe(0);
  expect(none.high).toBeCloseTo(1 - 0.025 ** 0.1, 9);
  const eight = binomial(8, 10);
  expect(eight.low).toBeCloseTo(0.4439, 5);
  expect(eight.high).toBeCloseTo(0.97479, 5);
  const all = binomial(20, 20);
  expect(all.low).toBeCloseTo(0.025 ** (1 / 20), 9);
  expect(all.high).toBe(1);
  expect(binomial(0, 0).value).toBeNaN();
});

const curve = [
  { step: 0, flops: 0, seconds: 0, loss: 2 },
  { step: 10, flops: 100, seconds: 1, loss: 1 },
  { step: 20, flops: 300, seconds: 2, loss: 0.5 },
  { step: 30, flops: 500, seconds: 3, loss: 0.7 },
  { step: 40, flops: 700, seconds: 4, loss: 0.5 },
  { step: 50, flops: 900, seconds: 5, loss: Number.NaN },
];

test("a target is reached at the first evaluation with a loss that low", () => {
  expect(costTo(curve, 1)).toEqual({ flops: 100, seconds: 1 });
  expect(costTo(curve, 0.9)).toEqual({ flops: 300, seconds: 2 });
  expect(costTo(curve, 0.4)).toEqual({ flops: never, seconds: never });
});

test("the best point is the first of the lowest; a NaN loss never is", () => {
  expect(bestPoint(curve)?.step).toBe(20);
  expect(bestPoint([])).toBeUndefined();
  expect(bestPoint(curve.slice(-1))).toBeUndefined();
});

test("the best loss so far, by FLOPs", () => {
  expect(lossWithin(curve, 299)).toBe(1);
  expect(lossWithin(curve, 600)).toBe(0.5);
  expect(lossWithin(curve, -1)).toBe(never);
});
