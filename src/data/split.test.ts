import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dataset } from "./dataset.ts";
import { splitDataset } from "./split.ts";

const rising = (count: number, labels?: number[]) =>
  dataset({
    features: Float32Array.from({ length: count }, (_, at) => at),
    count,
    ...(labels ? { labels } : {}),
  });

describe("splitDataset", () => {
  test("parts the examples: disjoint, complete, in order, of the stated size, with each class's share", () => {
    const cases = fc.record({
      labels: fc.array(fc.nat(4), { minLength: 2, maxLength: 200 }),
      fraction: fc.double({ min: 0.05, max: 0.95, noNaN: true }),
      seed: fc.nat(),
      labeled: fc.boolean(),
    });
    fc.assert(
      fc.property(cases, ({ labels, fraction, seed, labeled }) => {
        const wanted = Math.round(labels.length * fraction);
        fc.pre(wanted >= 1 && wanted < labels.length);
        const { train, test } = splitDataset(
          rising(labels.length, labeled ? labels : undefined),
          fraction,
          seed,
        );
        expect(test.count).toBe(wanted);
        expect([...train.features]).toEqual([...train.features].sort((a, b) => a - b));
        expect([...train.features, ...test.features].sort((a, b) => a - b)).toEqual(
          labels.map((_, at) => at),
        );
        if (!labeled) return;
        for (const label of new Set(labels)) {
          const all = labels.filter((other) => other === label).length;
          const tested = test.labels!.filter((other) => other === label).length;
          expect(Math.abs(tested - (all * wanted) / labels.length)).toBeLessThan(1);
        }
      }),
      { seed: 5 },
    );
  });

  test("is chosen by the seed alone", () => {
    const data = rising(50);
    const of = (seed: number) => [...splitDataset(data, 0.4, seed).test.features];
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
  });

  test.each([0, 1, -0.1, 2, Number.NaN, 0.01])("refuses the fraction %d of ten examples", (fraction) => {
    expect(() => splitDataset(rising(10), fraction)).toThrow(/testFraction/);
  });
});
