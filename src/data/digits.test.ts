import { expect, test } from "vitest";
import { digits } from "./digits.ts";

/** Examples of each digit 0..9 in the UCI test part, from the description that comes with it. */
const known = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180];
const countLabels = (labels: Int32Array) =>
  known.map((_, digit) => labels.filter((label) => label === digit).length);

test("digits: 1,797 examples in 0..1, split with equal shares of each digit", async () => {
  const { train, test } = await digits();
  expect([train.count, test.count, train.classes]).toEqual([1438, 359, 10]);
  expect(train.featureDims).toEqual([64]);
  const inTest = countLabels(test.labels!);
  expect(countLabels(train.labels!).map((count, digit) => count + inTest[digit]!)).toEqual(known);
  inTest.forEach((count, digit) => {
    expect(Math.abs(count - known[digit]! * 0.2)).toBeLessThan(1);
  });
  const sixteenths = [...train.features, ...test.features].map((pixel) => pixel * 16);
  expect(sixteenths.every((value) => Number.isInteger(value) && value >= 0 && value <= 16)).toBe(true);
  // The sum of all pixels of the file.
  expect(sixteenths.reduce((sum, value) => sum + value, 0)).toBe(561718);
});

test("digits: seed and testFraction choose the split", async () => {
  const [first, again, other, half] = await Promise.all([
    digits(),
    digits({ seed: 0 }),
    digits({ seed: 1 }),
    digits({ testFraction: 0.5 }),
  ]);
  expect(again.test).toEqual(first.test);
  expect(other.test.features).not.toEqual(first.test.features);
  expect(half.test.count).toBe(899);
});
