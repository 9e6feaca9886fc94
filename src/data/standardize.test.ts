import { describe, expect, test } from "vitest";
import { dataset } from "./dataset.ts";
import { applyStandardizer, standardizer } from "./standardize.ts";

/** Columns: 1..5; the constant 0.1, whose mean rounds; values far from zero with a small spread. */
const rows = [1, 2, 3, 4, 5].flatMap((value) => [value, 0.1, 1e6 + value]);
const train = dataset({ features: rows, featureDims: [3], labels: [0, 1, 0, 1, 0] });

describe("standardizer", () => {
  test("gives mean 0 and variance 1, and leaves a constant column at 0", () => {
    const statistics = standardizer(train);
    expect(statistics.mean[0]).toBeCloseTo(3, 12);
    expect(statistics.scale[0]).toBeCloseTo(Math.sqrt(2), 12);
    expect(statistics.scale[1]).toBe(1);
    expect(statistics.scale[2]).toBeCloseTo(Math.sqrt(2), 6);
    const { features, labels } = applyStandardizer(train, statistics);
    for (const column of [0, 2]) {
      const values = [...features].filter((_, at) => at % 3 === column);
      expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 5);
      expect(values.reduce((sum, value) => sum + value ** 2, 0) / 5).toBeCloseTo(1, 5);
    }
    expect(Math.abs(features[1]!)).toBeLessThan(1e-7);
    expect(labels).toBe(train.labels);
  });

  test("applies the training statistics to other data, also after JSON", () => {
    const stored = JSON.parse(JSON.stringify(standardizer(train)));
    const test = applyStandardizer(dataset({ features: [3, 1.1, 1e6 + 3], featureDims: [3] }), stored);
    expect(test.features[0]).toBeCloseTo(0, 6);
    expect(test.features[1]).toBeCloseTo(1, 6);
  });

  test("refuses another number of features", () => {
    const other = dataset({ features: [1, 2], featureDims: [2] });
    expect(() => applyStandardizer(other, standardizer(train))).toThrow(/2 means/);
  });
});
