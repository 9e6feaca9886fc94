import type { Arm, Comparison } from "./config.ts";
import { type GridPoint, gridOf, type JobResult } from "./job.ts";
import type { Planned } from "./plan.ts";
import { bestPoint } from "./statistics/curve.ts";

/** How the grid points of an arm did on the tuning seeds. */
export interface TunedArm {
  readonly arm: string;
  readonly points: readonly {
    readonly point: GridPoint;
    /** Validation losses by tuning seed: each run's best or last, as the rule says; Infinity for one that diverged or failed. */
    readonly scores: readonly number[];
    readonly mean: number;
  }[];
  /** Index of the point with the least mean; undefined if no mean is finite. */
  readonly chosen?: number;
  /** Whether the chosen rate is the lowest or highest of several: a wider grid might do better. */
  readonly atEdge: boolean;
}

/** The choice of every arm. An arm with one grid point needs no tuning. */
export function tune(
  comparison: Comparison,
  plan: readonly Planned[],
  results: ReadonlyMap<string, JobResult>,
): { readonly tuned: readonly TunedArm[]; readonly chosen: ReadonlyMap<Arm, GridPoint> } {
  const chosen = new Map<Arm, GridPoint>();
  const tuned: TunedArm[] = [];
  for (const arm of comparison.arms) {
    const grid = gridOf(arm);
    if (grid.length === 1) {
      chosen.set(arm, grid[0] as GridPoint);
      continue;
    }
    const points = grid.map((point) => {
      const same = (other: GridPoint | undefined) => JSON.stringify(other) === JSON.stringify(point);
      const scores = plan
        .filter((one) => one.arm === arm && same(one.point))
        .map(({ key }) => scoreOf(results.get(key), comparison.tuning.rule));
      return { point, scores, mean: scores.reduce((sum, score) => sum + score, 0) / scores.length };
    });
    const means = points.map(({ mean }) => (Number.isNaN(mean) ? Number.POSITIVE_INFINITY : mean));
    const least = Math.min(...means);
    const index = means.indexOf(least);
    const rate = points[index]?.point.rate;
    const { rates } = arm.grid;
    const atEdge = rates.length > 1 && (rate === Math.min(...rates) || rate === Math.max(...rates));
    if (Number.isFinite(least)) chosen.set(arm, (points[index] as { point: GridPoint }).point);
    tuned.push({ arm: arm.name, points, atEdge, ...(Number.isFinite(least) ? { chosen: index } : {}) });
  }
  return { tuned, chosen };
}

function scoreOf(result: JobResult | undefined, rule: "best" | "final"): number {
  if (result === undefined || result.endedBy === "divergence") return Number.POSITIVE_INFINITY;
  const point = rule === "best" ? bestPoint(result.curve) : result.curve.at(-1);
  return point?.loss ?? Number.POSITIVE_INFINITY;
}
