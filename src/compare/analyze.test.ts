import { expect, test } from "vitest";
import { summarizeLine } from "./analyze.ts";
import type { Comparison } from "./config.ts";
import { findingsOf } from "./findings.ts";
import type { Line, SeedRun } from "./runs.ts";
import { bestPoint } from "./statistics/curve.ts";

/** A run that is evaluated every 100 FLOPs (1 second) with these losses. */
function run(seed: number, losses: readonly number[], scale = 1): SeedRun {
  const curve = losses.map((loss, at) => ({ step: at, flops: 100 * at * scale, seconds: at, loss }));
  const best = bestPoint(curve) as SeedRun["best"];
  return { seed, curve, best, endedBy: "steps", widths: {}, parameters: 5, growths: [] };
}

const comparison = { reference: "scratch" } as Comparison;
const scratch: Line = {
  name: "scratch",
  kind: "arm",
  runs: [run(0, [3, 2, 1, 0.5]), run(1, [3, 2, 1, 0.4]), run(2, [3, 2, 0.6, 0.7])],
};

test("costs are paired by seed, and a target that is not reached counts as infinite", () => {
  const grown: Line = {
    name: "grown",
    kind: "arm",
    // Half the FLOPs per step. Best losses of the reference: 0.5, 0.4, 0.6, at 300, 300 and 200 FLOPs.
    runs: [run(0, [3, 1, 0.5], 0.5), run(1, [3, 1, 0.45], 0.5), run(2, [3, 0.6, 0.1], 0.5)],
  };
  const against = summarizeLine([scratch, grown], comparison)[1]?.against;
  // Ratios 100/300, never, 50/200.
  expect(against?.toTarget[0]?.flops.value).toBeCloseTo(1 / 3, 12);
  expect(against?.toTarget[0]?.flops.high).toBe(Number.POSITIVE_INFINITY);
  expect(against?.toTarget[0]?.seconds.value).toBeCloseTo(2 / 3, 12);
  expect(against?.toTarget[0]?.reached).toBe(2);
  expect(against?.winsInFlops.value).toBeCloseTo(2 / 3, 12);
  // At 300, 300 and 200 FLOPs: 0.5/0.5, 0.45/0.4, 0.1/0.6.
  expect(against?.lossAtEqualFlops.value).toBe(1);
  expect(against?.winsInLoss.value).toBeCloseTo(1 / 3, 12);
  // The median target is 0.5: 100/300, 100/300 (0.45 is enough), and seed 2 of the reference never reached it.
  expect(against?.toMedianTarget.flops.value).toBeCloseTo(1 / 3, 12);
  expect(against?.toMedianTarget.reached).toBe(3);
});

test("an arm that is the reference again neither saves nor loses", () => {
  const again: Line = { ...scratch, name: "again" };
  const lines = summarizeLine([scratch, again], comparison);
  expect(lines[0]?.against).toBeUndefined();
  expect(lines[1]?.against?.toTarget[0]?.flops).toEqual({ value: 1, low: 1, high: 1 });
  expect(findingsOf(lines, "scratch")[0]).toMatchObject({ flops: "undecided", seconds: "undecided" });
});

test("an arm's losses are stated in words", () => {
  const slow: Line = {
    name: "slow",
    kind: "arm",
    runs: scratch.runs.map((one) =>
      run(
        one.seed,
        one.curve.map(({ loss }) => loss),
        3,
      ),
    ),
  };
  const bad: Line = { name: "bad", kind: "arm", runs: [run(0, [3, 3]), run(1, [3, 3]), run(2, [3, 3])] };
  const [one, other] = findingsOf(summarizeLine([scratch, slow, bad], comparison), "scratch");
  expect(one).toMatchObject({ flops: "loses", seconds: "undecided" });
  expect(one?.losses[0]).toContain("3.00 (3.00 to 3.00) of the FLOPs");
  expect(other?.losses[0]).toMatch(/on 3 of 3.seeds/);
});
