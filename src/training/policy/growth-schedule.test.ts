import { describe, expect, it } from "vitest";
import { findWidths } from "../../growth/find/widths.ts";
import { mlp } from "../../nn/mlp.ts";
import { checkGrowths, dueGrowths, type GrowthEvent } from "./growth-schedule.ts";

/** The sizes that events lead to, as (step, size) of each growth. */
function history(events: readonly GrowthEvent[], start: number, steps: number) {
  let size = start;
  const grown: [number, number][] = [];
  for (let step = 0; step < steps; step++) {
    for (const { by } of dueGrowths(events, step, () => size)) {
      size += by;
      grown.push([step, size]);
    }
  }
  return grown;
}

describe("growth events", () => {
  it("happens once at its step", () => {
    expect(
      history(
        [
          { width: "a", by: 16, at: 500 },
          { width: "a", by: 4, at: 0 },
        ],
        8,
        1000,
      ),
    ).toEqual([
      [0, 12],
      [500, 28],
    ]);
  });

  it("recurs until the width is reached, the last one cut to fit", () => {
    expect(history([{ width: "a", by: 16, every: 10, until: 50 }], 8, 100)).toEqual([
      [10, 24],
      [20, 40],
      [30, 50],
    ]);
    expect(history([{ width: "a", by: 1, every: 40 }], 8, 100)).toEqual([
      [40, 9],
      [80, 10],
    ]);
  });

  it("take account of one another at the same step", () => {
    const events: GrowthEvent[] = [
      { width: "a", by: 5, at: 10 },
      { width: "a", by: 16, every: 10, until: 16 },
    ];
    expect(dueGrowths(events, 10, () => 8)).toEqual([
      { width: "a", by: 5 },
      { width: "a", by: 3 },
    ]);
  });

  it("are refused before the run if they cannot happen", () => {
    const widths = findWidths(mlp([4, 8, 2]));
    const check = (event: GrowthEvent) => () => checkGrowths([event], widths, 100);
    expect(check({ width: "hidden1", by: 1, at: 99 })).not.toThrow();
    expect(check({ width: "hidden2", by: 1, at: 5 })).toThrow(
      expect.objectContaining({ code: "UNKNOWN_WIDTH" }),
    );
    expect(check({ width: "hidden2", by: 1, at: 5 })).toThrow(/hidden1/);
    expect(check({ width: "output", by: 1, at: 5 })).toThrow(
      expect.objectContaining({ code: "NOT_GROWABLE" }),
    );
    expect(check({ width: "hidden1", by: 1, at: 100 })).toThrow(/before the last of 100 steps/);
    expect(check({ width: "hidden1", by: 1, every: 100 })).toThrow(/before the last/);
    expect(check({ width: "hidden1", by: 1, every: 5, until: 8 })).toThrow(/more than the 8 units/);
  });
});
