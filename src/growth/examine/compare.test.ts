import { expect, test } from "vitest";
import { toFloat16 } from "../../tensor/float16.ts";
import { float32, full, int64, makeTensor, type Tensor } from "../../tensor/tensor.ts";
import { compareOutputs, isPreserved, relativeLimit } from "./compare.ts";

const before = float32([3], [1, -8, 0]);
const moved = (by: number) => float32([3], [1, -8 + by, 0]);
const bound = (value: number) => full([3], value);
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

test("differences are reported, with their number and the limit of the worst entry", () => {
  expect(compareOutputs(before, moved(0.5), bound(1))).toEqual({
    maximum: 0.5,
    relative: 0.0625,
    bound: 8 * relativeLimit,
    withinBound: true,
    identical: false,
    entries: 3,
    finite: 3,
    differing: 1,
    misplaced: 0,
    undecided: 0,
    at: Uint8Array.of(0, 1, 0),
    beyond: 1,
  });
});

test.each([
  ["nothing moved", before, undefined, true],
  ["within a tight bound", moved(1e-4), bound(1e-4), true],
  ["beyond a tight bound", moved(1e-4), bound(1e-5), false],
  ["beyond no bound at all", moved(1e-4), undefined, false],
  ["a bound that says nothing, and little moved", moved(1e-4), bound(inf), true],
  ["a bound that says nothing, and much moved", moved(1e-2), bound(inf), false],
  ["a bound that is not a number, and much moved", moved(1e-2), bound(nan), false],
  ["a finite bound above the relative limit, and within it", moved(2e-3), bound(2e-3), true],
  ["a finite bound so large that it proves nothing", moved(2e-2), bound(1), false],
  ["not a number any more", moved(nan), bound(inf), false],
] as const)("%s", (_, after, errorBound, preserved) => {
  expect(isPreserved(compareOutputs(before, after, errorBound))).toBe(preserved);
});

test("if no bound can be computed, the relative limit decides alone", () => {
  const told = (by: number) => compareOutputs(before, moved(by), undefined, { unbounded: true });
  expect(isPreserved(told(8 * relativeLimit * 0.9))).toBe(true);
  expect(isPreserved(told(8 * relativeLimit * 1.1))).toBe(false);
});

const judged = (a: Tensor, b: Tensor, expectation = {}) =>
  isPreserved(compareOutputs(a, b, undefined, { unbounded: true, ...expectation }));

test("NaN and infinities must be in the same places, whatever comes after", () => {
  const odd = float32([4], [nan, inf, -inf, 2]);
  expect(compareOutputs(odd, odd, undefined)).toMatchObject({ identical: true, finite: 1 });
  for (const [at, value] of [
    [0, 1],
    [1, nan],
    [1, -inf],
    [2, 0],
    [3, nan],
    [3, inf],
  ] as const) {
    const other = float32(
      [4],
      Array.from(odd.data, (old, index) => (index === at ? value : old)),
    );
    expect(compareOutputs(odd, other, undefined, { unbounded: true }).misplaced, `${at}: ${value}`).toBe(1);
    expect(judged(odd, other)).toBe(false);
  }
});

test("each channel, and each example, is judged by its own size", () => {
  // [example, channel]: the second channel is small, and so is the last example.
  const mixed = float32([3, 3], [640, 0.5, 300, 200, 0.9, 310, 0.02, 0.001, 0.03]);
  const with_ = (at: number, by: number) =>
    float32(
      [3, 3],
      Array.from(mixed.data, (value, index) => (index === at ? value + by : value)),
    );
  expect(judged(mixed, with_(0, 0.02))).toBe(true);
  expect(judged(mixed, with_(4, 0.02))).toBe(false);
  expect(judged(mixed, with_(6, 0.02))).toBe(false);
});

test("one entry alone says nothing about its size", () => {
  const column = float32([3, 1], [1, 1e-7, -2]);
  expect(judged(column, float32([3, 1], [1, 1e-5, -2]))).toBe(true);
  expect(judged(column, float32([3, 1], [1, 1e-3, -2]))).toBe(false);
});

test("an output with a range may move by a few roundings of it", () => {
  const saturated = full([2, 3], 1e-6);
  const after = full([2, 3], 1e-6 + 6e-8);
  expect(judged(saturated, after)).toBe(false);
  expect(judged(saturated, after, { range: 1 })).toBe(true);
  expect(judged(saturated, full([2, 3], 2e-6), { range: 1 })).toBe(false);
});

test("measured noise yields to sums that cancel", () => {
  const after = moved(0.002);
  expect(judged(before, after)).toBe(false);
  expect(judged(before, after, { noise: [0, 0.001, 0] })).toBe(true);
  expect(judged(before, after, { noise: [0.001, 0, 0.001] })).toBe(false);
});

test("noise that is a large part of an entry's size leaves it undecided, unless a rule or a bound decides", () => {
  const after = moved(0.02);
  const noise = [0, 1, 0];
  const told = (expectation: object, errorBound = full([3], Number.POSITIVE_INFINITY)) =>
    compareOutputs(before, after, errorBound, { noise, ...expectation });
  expect(told({})).toMatchObject({ beyond: 0, undecided: 1, at: Uint8Array.of(0, 2, 0) });
  expect(told({ proven: true })).toMatchObject({ beyond: 0, undecided: 0 });
  expect(told({}, bound(0.001))).toMatchObject({ beyond: 1, undecided: 0 });
  expect(told({ proven: true, noise: [] })).toMatchObject({ beyond: 1, undecided: 0 });
});

test("integers must be equal, except for ties that noise decides", () => {
  const [a, b] = [int64([2], [3, 5]), int64([2], [3, 6])];
  expect(judged(a, b)).toBe(false);
  expect(compareOutputs(a, b, undefined, { noise: [0, 2] })).toMatchObject({ beyond: 0, undecided: 1 });
  expect(judged(a, b, { noise: [1, 0] })).toBe(false);
  const large = 2n ** 60n;
  expect(judged(int64([1], [large]), int64([1], [large + 1n]))).toBe(false);
});

test("texts are compared, not their numbers", () => {
  const texts = (strings: readonly string[], ...at: number[]): Tensor => ({
    ...makeTensor("string", [at.length], Uint32Array.from(at)),
    strings,
  });
  expect(judged(texts(["cat", "dog"], 0, 1, 0), texts(["dog", "cat"], 1, 0, 1))).toBe(true);
  expect(judged(texts(["cat", "dog"], 0, 1), texts(["cat", "cow"], 0, 1))).toBe(false);
});

test("float16 is compared by value, and judged by its own roundings", () => {
  const half = (...values: number[]) =>
    makeTensor("float16", [values.length], Uint16Array.from(values, toFloat16));
  expect(judged(half(1, 2, 100), half(1, 2, 100.0625))).toBe(true);
  expect(judged(half(1, 2, 100), half(1, 2, 103))).toBe(false);
});

test("another shape is another output", () => {
  expect(judged(full([2, 3], 1), full([3, 2], 1))).toBe(false);
  expect(judged(full([0, 3], 1), full([0, 2], 1))).toBe(false);
});
