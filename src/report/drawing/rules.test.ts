import fc from "fast-check";
import { expect, test } from "vitest";
import { placeRules, type Rule } from "./rules.ts";

const rule = (x: number, labels = ["hidden1 8→16", "8→16", "1"]): Rule => ({ arm: 0, x, title: "", labels });
const across = (x: number) => x;

test("far apart, labels are full and in one row", () => {
  const { rows, places } = placeRules([rule(50), rule(300)], across, [40, 560]);
  expect(rows).toBe(1);
  expect(places.map(({ label }) => label)).toEqual(["hidden1 8→16", "hidden1 8→16"]);
});

test("at the right edge a label begins before its rule", () => {
  const { places } = placeRules([rule(555)], across, [40, 560]);
  expect(places[0]?.labelX).toBeLessThan(490);
  expect(places[0]?.x).toBe(555);
});

test("if there is no room, labels are left out and rules stay", () => {
  const { rows, places } = placeRules(
    Array.from({ length: 50 }, (_, i) => rule(40 + i)),
    across,
    [40, 560],
  );
  expect(rows).toBe(0);
  expect(places).toHaveLength(50);
  expect(places.every(({ label }) => label === "")).toBe(true);
});

test("no label touches another, and no rule crosses one", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 40, max: 560 }), { maxLength: 20 }), (xs) => {
      const { places } = placeRules(
        xs.map((x) => rule(x)),
        across,
        [40, 560],
      );
      places.forEach((a, i) => {
        places.forEach((b, j) => {
          if (i === j || a.label === "") return;
          const end = a.labelX + a.label.length * 6.3;
          // A rule extends up to its label and would cross labels below that, so a label that spans the rule
          // must be above.
          if (b.x > a.x && b.x < end) expect(a.y).toBeLessThan(b.y);
          const overlap = a.labelX < b.labelX + b.label.length * 6.3 && b.labelX < end;
          if (overlap) expect(a.y).not.toBe(b.y);
        });
      });
    }),
    { numRuns: 500 },
  );
});
