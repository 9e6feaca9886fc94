import { describe, expect, test } from "vitest";
import { EspalierError } from "../tensor/errors.ts";
import { type DatasetParts, dataset, reshapeFeatures, subset } from "./dataset.ts";

const six = Float32Array.from([0, 1, 2, 3, 4, 5]);

function codeOf(parts: DatasetParts): string | undefined {
  try {
    dataset(parts);
  } catch (error) {
    return error instanceof EspalierError ? error.code : String(error);
  }
  return undefined;
}

describe("dataset", () => {
  test("finds the missing sizes and keeps typed arrays", () => {
    const labels = Int32Array.from([0, 2, 1]);
    const made = dataset({ features: six, labels });
    expect(made).toEqual({ name: "data", count: 3, features: six, featureDims: [2], labels, classes: 3 });
    expect(made.features).toBe(six);
    expect(made.labels).toBe(labels);
  });

  test("accepts plain arrays, shapes and targets", () => {
    const made = dataset({ features: [1, 2, 3, 4], featureDims: [1, 2], targets: [0.5, 1, 2, 3, 4, 5] });
    expect(made.count).toBe(2);
    expect(made.targetDims).toEqual([3]);
    expect(made.labels).toBeUndefined();
    expect(made.classes).toBeUndefined();
  });

  test.each<[string, string, DatasetParts]>([
    ["no features", "EMPTY_DATA", { features: [] }],
    ["count 0", "EMPTY_DATA", { features: six, count: 0 }],
    ["empty labels", "EMPTY_DATA", { features: six, labels: [] }],
    ["features that do not divide", "SHAPE_MISMATCH", { features: six, count: 4 }],
    ["a shape that does not divide", "SHAPE_MISMATCH", { features: six, featureDims: [4] }],
    ["a zero dimension", "SHAPE_MISMATCH", { features: six, count: 3, featureDims: [0] }],
    ["too few labels", "SHAPE_MISMATCH", { features: six, count: 3, labels: [0, 1] }],
    ["targets that do not divide", "SHAPE_MISMATCH", { features: six, count: 3, targets: [1, 2] }],
    [
      "class names of another number",
      "SHAPE_MISMATCH",
      { features: six, labels: [0, 1], classes: 2, classNames: ["a"] },
    ],
    ["no way to tell rows", "ARGUMENT", { features: six }],
    ["a label of the number of classes", "LABEL_RANGE", { features: six, labels: [0, 1, 2], classes: 2 }],
    ["a negative label", "LABEL_RANGE", { features: six, labels: [0, -1, 1] }],
    ["a label between integers", "LABEL_RANGE", { features: six, labels: [0, 0.5, 1] }],
    ["NaN", "ARGUMENT", { features: [1, Number.NaN], featureDims: [1] }],
    ["a number past float32", "ARGUMENT", { features: [1, 1e39], featureDims: [1] }],
    [
      "an infinite target",
      "ARGUMENT",
      { features: [1, 2], featureDims: [1], targets: [0, Number.POSITIVE_INFINITY] },
    ],
  ])("refuses %s with %s", (_, code, parts) => {
    expect(codeOf(parts)).toBe(code);
  });

  test("says where a bad value is", () => {
    expect(() => dataset({ name: "mine", features: [1, 2, 3, Number.NaN], featureDims: [2] })).toThrow(
      "features of mine, example 1, value 1",
    );
  });
});

describe("subset and reshapeFeatures", () => {
  const data = dataset({ features: six, labels: [0, 1, 2], targets: [10, 20, 30] });

  test("pick rows of every part, in the order asked", () => {
    const picked = subset(data, [2, 0, 2]);
    expect([...picked.features]).toEqual([4, 5, 0, 1, 4, 5]);
    expect([...picked.labels!]).toEqual([2, 0, 2]);
    expect([...picked.targets!]).toEqual([30, 10, 30]);
    expect(picked.count).toBe(3);
    expect(picked.classes).toBe(3);
  });

  test.each([[[3]], [[-1]], [[0.5]], [[]]])("refuse indices %j", (indices) => {
    expect(() => subset(data, indices)).toThrow(EspalierError);
  });

  test("reshape without copying, to the same size only", () => {
    expect(reshapeFeatures(data, [1, 2, 1]).featureDims).toEqual([1, 2, 1]);
    expect(reshapeFeatures(data, [1, 2]).features).toBe(six);
    expect(() => reshapeFeatures(data, [3])).toThrow(EspalierError);
  });

  test("tells a caller with nested rows to flatten them", () => {
    const features = [
      [1, 2],
      [3, 4],
    ] as unknown as number[];
    expect(() => dataset({ features, labels: [0, 1] })).toThrow(/rows\.flat\(\)/);
  });
});
