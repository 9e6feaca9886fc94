import { expect, test } from "vitest";
import type { Comparison } from "../config.ts";
import { type GridPoint, gridOf, type JobResult } from "../job.ts";
import { reportPlan } from "../plan.ts";
import { readComparison } from "../read-config.ts";
import { makeLedger } from "../results.ts";
import { bandOf } from "./bands.ts";
import { comparisonPage } from "./page.ts";

const comparison: Comparison = readComparison(
  JSON.stringify({
    title: "<b>names</b> are text",
    question: "free",
    task: {
      data: { kind: "xor" },
      network: { kind: "mlp" },
      loss: "crossEntropy",
      batch: 8,
      split: { validation: 0.2 },
    },
    budget: { steps: 20, evaluateEvery: 10 },
    tuning: { rates: [0.1] },
    seeds: { tuning: [9], report: [0, 1] },
    arms: [
      { name: "a & b", size: { hidden: [2] } },
      { name: "never", size: { hidden: [2] }, newborn: { warmup: 3 } },
    ],
  }),
);

/** Losses by evaluation, one every 10 steps of 100 FLOPs and a second. */
const losses = { "a & b": [1, 0.5, 0.25], never: [1, 0.9, 0.8] } as Record<string, number[]>;

async function ledger() {
  const report = await reportPlan(
    comparison,
    new Map(comparison.arms.map((arm) => [arm, gridOf(arm)[0] as GridPoint])),
  );
  const results = new Map(
    report.map(({ key, job, arm }): [string, JobResult] => [
      key,
      {
        job,
        curve: (losses[arm?.name ?? ""] ?? []).map((loss, at) => ({
          step: 10 * at,
          flops: 1000 * at,
          seconds: 10 * at,
          loss,
        })),
        endedBy: "steps",
        widths: { hidden1: 2 },
        parameters: 12,
        growths: [],
      },
    ]),
  );
  const failures = [{ arm: "never", seed: 3, stage: "report", reason: "died <twice>" }] as const;
  return makeLedger({ comparison, tuned: [], first: [], report, results, failures });
}

test("the page is one file without scripts or links, in which names are text", async () => {
  const page = comparisonPage(await ledger(), "2026-01-02T03:04:05.000Z");
  expect(page).toContain("&lt;b&gt;names&lt;/b&gt; are text");
  expect(page).toContain("died &lt;twice&gt;");
  expect(page).not.toMatch(/<script|<link|<img|src=|href=|NaN|undefined/);
  // A run that never arrived is mentioned, but not drawn at a number.
  expect(page).toContain("the median seed never did");
  expect(page).toContain("0/2");
});

test("a band shows the best so far, as long as the median run lasts", async () => {
  const curve = [3, 1, 2].map((loss, at) => ({ step: at, flops: 10 * at, seconds: at, loss }));
  const run = {
    seed: 0,
    curve,
    best: curve[1] as (typeof curve)[0],
    endedBy: "steps",
    widths: {},
    parameters: 1,
    growths: [],
  } as const;
  const longer = { ...run, curve: [...curve, { step: 3, flops: 1000, seconds: 3, loss: 0.5 }] };
  const band = bandOf([run, run, longer], ({ flops }) => flops);
  expect(band[0]).toEqual({ x: 0, low: 3, middle: 3, high: 3 });
  expect(band.at(-1)).toEqual({ x: 20, low: 1, middle: 1, high: 1 });
});
