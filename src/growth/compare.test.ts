import { expect, test } from "vitest";
import { float32, full } from "../tensor/tensor.ts";
import { compareOutputs, isPreserved, relativeLimit } from "./compare.ts";

const before = float32([3], [1, -8, 0]);
const moved = (by: number) => float32([3], [1, -8 + by, 0]);
const bound = (value: number) => full([3], value);

test("differences are told relative to the largest entry", () => {
  expect(compareOutputs(before, moved(0.5), bound(1))).toEqual({
    maximum: 0.5,
    relative: 0.0625,
    bound: 2,
    withinBound: true,
    identical: false,
  });
});

test.each([
  ["nothing moved", before, undefined, true],
  ["within a tight bound", moved(1e-4), bound(1e-4), true],
  ["beyond a tight bound", moved(1e-4), bound(1e-5), false],
  ["beyond no bound at all", moved(1e-4), undefined, false],
  ["a bound that says nothing, and little moved", moved(1e-4), bound(Number.POSITIVE_INFINITY), true],
  ["a bound that says nothing, and much moved", moved(1e-2), bound(Number.POSITIVE_INFINITY), false],
  ["a bound that is not a number, and much moved", moved(1e-2), bound(Number.NaN), false],
  ["not a number any more", moved(Number.NaN), bound(Number.POSITIVE_INFINITY), false],
] as const)("%s", (_, after, errorBound, preserved) => {
  expect(isPreserved(compareOutputs(before, after, errorBound))).toBe(preserved);
});

test("where no bound can be computed, the relative limit decides alone", () => {
  const little = compareOutputs(before, moved(8 * relativeLimit * 0.9), undefined);
  const much = compareOutputs(before, moved(8 * relativeLimit * 1.1), undefined);
  expect([isPreserved(little, false), isPreserved(much, false)]).toEqual([true, false]);
});
