import type { Comparison } from "./config.ts";
import type { Line, SeedRun } from "./runs.ts";
import { binomial } from "./statistics/binomial.ts";
import { bootstrap, type Estimate } from "./statistics/bootstrap.ts";
import { costTo, lossWithin } from "./statistics/curve.ts";
import { median } from "./statistics/quantile.ts";

/** How far a target is above the reference's best loss, as a fraction of that loss. The first one counts. */
export const slacks = [0, 0.01, 0.02, 0.05] as const;

/** A cost until a target is reached, against the reference's, paired by seed. */
export interface CostRatio {
  /** Median over seeds; a seed that did not reach the target counts as Infinity. */
  readonly flops: Estimate;
  readonly seconds: Estimate;
  /** Seeds that reached the target. */
  readonly reached: number;
}

/** Summary of the runs of one line. Infinity is written as null. */
export interface LineSummary {
  readonly name: string;
  readonly kind: Line["kind"];
  readonly runs: number;
  /** Medians over seeds. */
  readonly bestLoss: number;
  readonly finalLoss: number;
  readonly geometricMeanFinalLoss: number;
  /** Loss and metrics on the test data; absent without them. */
  readonly test?: Readonly<Record<string, number>>;
  readonly parameters: number;
  /** Of whole runs. */
  readonly flops: number;
  readonly seconds: number;
  /** Until the best loss. */
  readonly toBest: { readonly step: number; readonly flops: number; readonly seconds: number };
  /** Compared with the reference; absent for the reference itself and for members of a sweep. */
  readonly against?: Against;
}

export interface Against {
  /** Seeds that both were run on. */
  readonly pairs: number;
  /** Cost to the reference's best loss on the same seed, for each slack above it; 1 is what the reference paid. */
  readonly toTarget: readonly (CostRatio & { readonly slack: number })[];
  /** Cost to the median of the reference's best losses, the same target for every seed. */
  readonly toMedianTarget: CostRatio;
  /** The best loss within the FLOPs that the reference's best loss cost, as a ratio to that loss; median. */
  readonly lossAtEqualFlops: Estimate;
  /** Fraction of seeds on which the target took fewer FLOPs; below, fewer seconds. */
  readonly winsInFlops: Estimate;
  readonly winsInSeconds: Estimate;
  /** Fraction of seeds on which its loss was lower at equal FLOPs. */
  readonly winsInLoss: Estimate;
}

/** Compares every line with the reference. */
export function summarizeLine(lines: readonly Line[], { reference }: Comparison): readonly LineSummary[] {
  const base = lines.find(({ name }) => name === reference)?.runs ?? [];
  return lines.map((line) => {
    const { name, kind, runs } = line;
    const of = (value: (run: SeedRun) => number | undefined) =>
      median(runs.map(value).filter((one) => one !== undefined));
    const measured = [...new Set(runs.flatMap(({ test }) => Object.keys(test ?? {})))];
    const test = measured.map((figure) => [figure, of(({ test }) => test?.[figure])] as const);
    const compared = name !== reference && kind !== "member of a sweep";
    return {
      name,
      kind,
      runs: runs.length,
      bestLoss: of(({ best }) => best.loss),
      finalLoss: of(lastLoss),
      geometricMeanFinalLoss: Math.exp(
        runs.reduce((sum, run) => sum + Math.log(lastLoss(run)), 0) / runs.length,
      ),
      ...(measured.length === 0 ? {} : { test: Object.fromEntries(test) }),
      parameters: of(({ parameters }) => parameters),
      flops: of(({ curve }) => curve.at(-1)?.flops),
      seconds: of(({ curve }) => curve.at(-1)?.seconds),
      toBest: {
        step: of(({ best }) => best.step),
        flops: of(({ best }) => best.flops),
        seconds: of(({ best }) => best.seconds),
      },
      ...(compared ? { against: against(runs, base) } : {}),
    };
  });
}

function lastLoss({ curve, endedBy }: SeedRun): number {
  return endedBy === "divergence" ? Number.POSITIVE_INFINITY : (curve.at(-1)?.loss ?? Number.NaN);
}

function against(runs: readonly SeedRun[], base: readonly SeedRun[]): Against {
  const pairs = runs.flatMap((run) => {
    const other = base.find(({ seed }) => seed === run.seed);
    return other === undefined ? [] : [{ run, other }];
  });
  const wins = (won: (pair: { readonly run: SeedRun; readonly other: SeedRun }) => boolean) =>
    binomial(pairs.filter(won).length, pairs.length);
  const own = (run: SeedRun) => costTo(run.curve, run.best.loss);
  const middle = median(base.map(({ best }) => best.loss));
  const ratios = (target: (other: SeedRun) => number): CostRatio => {
    const costs = pairs.map(({ run, other }) => {
      const mine = costTo(run.curve, target(other));
      const its = costTo(other.curve, target(other));
      return {
        flops: ratio(mine.flops, its.flops),
        seconds: ratio(mine.seconds, its.seconds),
        reached: mine.flops,
      };
    });
    return {
      flops: bootstrap(
        costs.map(({ flops }) => flops),
        median,
      ),
      seconds: bootstrap(
        costs.map(({ seconds }) => seconds),
        median,
      ),
      reached: costs.filter(({ reached }) => Number.isFinite(reached)).length,
    };
  };
  return {
    pairs: pairs.length,
    toTarget: slacks.map((slack) => ({ slack, ...ratios(({ best }) => best.loss * (1 + slack)) })),
    toMedianTarget: ratios(() => middle),
    lossAtEqualFlops: bootstrap(
      pairs.map(({ run, other }) => lossWithin(run.curve, other.best.flops) / other.best.loss),
      median,
    ),
    winsInFlops: wins(({ run, other }) => costTo(run.curve, other.best.loss).flops < own(other).flops),
    winsInSeconds: wins(({ run, other }) => costTo(run.curve, other.best.loss).seconds < own(other).seconds),
    winsInLoss: wins(({ run, other }) => lossWithin(run.curve, other.best.flops) < other.best.loss),
  };
}

/** If neither arrived there is no meaningful ratio: it counts as not reached. */
function ratio(mine: number, its: number): number {
  return Number.isFinite(mine) ? mine / its : Number.POSITIVE_INFINITY;
}
