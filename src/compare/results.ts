import { type LineSummary, summarizeLine } from "./analyze.ts";
import type { Comparison } from "./config.ts";
import { type Finding, findingsOf } from "./findings.ts";
import { type JobResult, sortedKeys } from "./job.ts";
import type { Planned } from "./plan.ts";
import { type Line, linesOf } from "./runs.ts";
import { bestPoint } from "./statistics/curve.ts";
import { median } from "./statistics/quantile.ts";
import type { TunedArm } from "./tune.ts";

/** A job that failed. */
export interface Failure {
  /** Name of the arm, or "first phase". */
  readonly arm: string;
  readonly seed: number;
  readonly stage: "first phase" | "tuning" | "report";
  readonly reason: string;
}

/** Failures that differ only in their seed. */
export interface FailureGroup extends Omit<Failure, "seed"> {
  readonly seeds: readonly number[];
}

export function groupFailures(failures: readonly Failure[]): readonly FailureGroup[] {
  const groups = new Map<
    string,
    { arm: string; stage: Failure["stage"]; reason: string; seeds: Set<number> }
  >();
  for (const { arm, stage, reason, seed } of failures) {
    const key = JSON.stringify([arm, stage, reason]);
    const group = groups.get(key) ?? { arm, stage, reason, seeds: new Set() };
    group.seeds.add(seed);
    groups.set(key, group);
  }
  return [...groups.values()].map((group) => ({ ...group, seeds: [...group.seeds] }));
}

/** Cost of the first phase, which counts toward no arm. */
export interface SunkCost {
  readonly runs: number;
  /** Medians over seeds. */
  readonly bestLoss: number;
  readonly flops: number;
  readonly seconds: number;
}

/** A comparison and all its results. */
export interface ComparisonResults {
  readonly comparison: Comparison;
  readonly tuned: readonly TunedArm[];
  readonly first?: SunkCost;
  readonly lines: readonly Line[];
  readonly summaries: readonly LineSummary[];
  readonly findings: readonly Finding[];
  readonly failures: readonly Failure[];
}

export interface LedgerParts {
  readonly comparison: Comparison;
  readonly tuned: readonly TunedArm[];
  readonly first: readonly Planned[];
  readonly report: readonly Planned[];
  readonly results: ReadonlyMap<string, JobResult>;
  readonly failures: readonly Failure[];
}

export function makeLedger({
  comparison,
  tuned,
  first,
  report,
  results,
  failures,
}: LedgerParts): ComparisonResults {
  const lines = linesOf(comparison, report, results);
  const summaries = summarizeLine(lines, comparison);
  const sunk = sunkCost(comparison, first, results);
  return {
    comparison,
    tuned,
    ...(sunk === undefined ? {} : { first: sunk }),
    lines,
    summaries,
    findings: findingsOf(summaries, comparison.reference),
    failures,
  };
}

function sunkCost(
  { seeds }: Comparison,
  first: readonly Planned[],
  results: ReadonlyMap<string, JobResult>,
): SunkCost | undefined {
  if (first.length === 0) return undefined;
  const curves = first
    .filter(({ job }) => seeds.report.includes(job.seed))
    .flatMap(({ key }) => results.get(key) ?? [])
    .map(({ curve }) => curve);
  return {
    runs: curves.length,
    bestLoss: median(curves.map((curve) => bestPoint(curve)?.loss ?? Number.NaN)),
    flops: median(curves.map((curve) => curve.at(-1)?.flops ?? Number.NaN)),
    seconds: median(curves.map((curve) => curve.at(-1)?.seconds ?? Number.NaN)),
  };
}

/** A ledger as JSON with sorted keys. Infinity and NaN are null: a target never reached, a statistic of no values. */
export function resultsJson(ledger: ComparisonResults): string {
  return `${JSON.stringify({ format: "espalier-comparison", version: 1, ...ledger }, sortedKeys, 1)}\n`;
}
