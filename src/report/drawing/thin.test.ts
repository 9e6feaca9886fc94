import { expect, test } from "vitest";
import { sample, thin } from "./thin.ts";

const same = (value: number) => value;

test("few items are unchanged", () => {
  const items = [1, 2, 3];
  expect(thin(items, same)).toBe(items);
});

test("many are thinned to the limit, in order, with ends and extremes", () => {
  const items = Array.from({ length: 12_345 }, (_, index) => ({ index, value: Math.sin(index / 50) }));
  for (const [index, value] of [
    [777, 9],
    [9_001, -9],
  ] as const)
    items[index] = { index, value };
  const kept = thin(items, ({ value }) => value);
  expect(kept.length).toBeLessThanOrEqual(600);
  expect(kept.length).toBeGreaterThan(300);
  const indices = kept.map(({ index }) => index);
  expect(indices).toEqual([...new Set(indices)].sort((a, b) => a - b));
  expect(indices).toEqual(expect.arrayContaining([0, 777, 9_001, 12_344]));
});

test("values that are not finite hide no extreme, and a stretch of them leaves a gap", () => {
  const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const items = Array.from({ length: 3000 }, (_, index) =>
    index === 501 ? 50 : index >= 2000 ? Number.NaN : index % 2 === 0 ? (odd[index % 3] as number) : 1,
  );
  const kept = thin(items, same, 100);
  expect(kept).toContain(50);
  expect(kept.filter(Number.isNaN).length).toBeGreaterThan(10);
  expect(kept.length).toBeLessThanOrEqual(100);
});

test("a sample is even and keeps both ends", () => {
  expect(sample([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 3)).toEqual([0, 5, 10]);
  expect(sample([1, 2], 3)).toEqual([1, 2]);
});
