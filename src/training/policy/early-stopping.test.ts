import { expect, test } from "vitest";
import { StoppingWatch } from "./early-stopping.ts";

const unusable = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

test.each(["higher", "lower"] as const)(
  "no score that is not finite is ever the best (%s is better)",
  (better) => {
    const watch = new StoppingWatch({ patience: 10 }, better);
    for (const score of unusable) expect(watch.see(1, score)).toBe(false);
    expect(watch.best).toBeUndefined();
    expect(watch.see(2, 0.5)).toBe(true);
    for (const score of unusable) expect(watch.see(3, score)).toBe(false);
    expect(watch.see(4, better === "higher" ? 0.6 : 0.4)).toBe(true);
    expect(watch.best?.step).toBe(4);
  },
);

test("scores that are not finite count as misses", () => {
  const watch = new StoppingWatch({ patience: 3 }, "lower");
  for (const score of unusable) watch.see(1, score);
  expect(watch.exhausted).toBe(true);
});

test("JSON's representation of NaN is not a score", () => {
  const watch = new StoppingWatch({ patience: 3 }, "lower");
  expect(watch.see(1, JSON.parse(JSON.stringify(Number.NaN)))).toBe(false);
});
