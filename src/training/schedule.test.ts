import { describe, expect, test } from "vitest";
import { cosineRate, rateAt, stepRate } from "./schedule.ts";

describe("schedules", () => {
  test("cosine: up to the peak, held, half a cosine down, and there it stays", () => {
    const schedule = cosineRate(1, { steps: 110, warmup: 10, hold: 40, final: 0.2 });
    expect([0, 4, 9].map((step) => rateAt(schedule, step))).toEqual([0.1, 0.5, 1]);
    for (const step of [10, 30, 50]) expect(rateAt(schedule, step)).toBe(1);
    expect(rateAt(schedule, 80)).toBeCloseTo(0.6, 12);
    expect(rateAt(schedule, 110)).toBeCloseTo(0.2, 12);
    expect(rateAt(schedule, 1000)).toBeCloseTo(0.2, 12);
  });

  test("without a hold it falls from the first step on", () => {
    const schedule = cosineRate(1, { steps: 100 });
    expect(rateAt(schedule, 0)).toBe(1);
    expect(rateAt(schedule, 50)).toBeCloseTo(0.5, 12);
  });

  test("no room for the cosine is refused", () => {
    expect(() => cosineRate(1, { steps: 50, warmup: 10, hold: 40 })).toThrow(/warm-up and hold/);
  });

  test("step: a factor each so many", () => {
    const schedule = stepRate(1, { every: 10, factor: 0.5 });
    expect([0, 9, 10, 25].map((step) => rateAt(schedule, step))).toEqual([1, 1, 0.5, 0.25]);
  });
});
