import { expect, test } from "vitest";
import { linearAxis, logAxis, spansDecades } from "./axis.ts";

test("a linear axis runs from 0 to 1 over round numbers", () => {
  const axis = linearAxis([0, 97, Number.NaN], { label: "x" });
  expect(axis.place(0)).toBe(0);
  expect(axis.place(100)).toBe(1);
  expect(axis.place(Number.NaN)).toBeNaN();
  expect(axis.ticks.map(({ label }) => label)).toEqual(["0", "20", "40", "60", "80", "100"]);
});

test("ticks count in the unit of the axis, within its limits", () => {
  const axis = linearAxis([0.11, 0.983], { label: "accuracy (%)", unit: 0.01, limits: [0, 1] });
  expect(axis.ticks.map(({ label }) => label)).toEqual(["20", "40", "60", "80", "100"].toSpliced(0, 0, "0"));
  expect(axis.place(1)).toBeCloseTo(1);
});

test("one value is placed in the middle, none leaves an empty axis", () => {
  expect(linearAxis([4], { label: "", nice: false }).place(4)).toBeCloseTo(0.5);
  expect(linearAxis([Number.NaN], { label: "" }).ticks.length).toBeGreaterThan(1);
  expect(logAxis([3], { label: "" }).place(3)).toBeCloseTo(0.5, 1);
  expect(logAxis([], { label: "" }).ticks.length).toBeGreaterThan(0);
});

test("a logarithmic axis has between two and eight ticks, and no place for zero", () => {
  for (const low of [0.03, 1e-3, 1e-6, 1e-20]) {
    const axis = logAxis([low, 2], { label: "" });
    expect(axis.ticks.length).toBeGreaterThanOrEqual(2);
    expect(axis.ticks.length).toBeLessThanOrEqual(8);
    expect(axis.place(low)).toBeGreaterThan(0);
    expect(axis.place(0)).toBeNaN();
  }
});

test("decades are counted over positive values only", () => {
  expect(spansDecades([0.01, 1])).toBe(true);
  expect(spansDecades([0.1, 1, Number.NaN])).toBe(false);
  expect(spansDecades([0, 1])).toBe(false);
  expect(spansDecades([])).toBe(false);
});
