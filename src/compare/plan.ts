import type { Arm, Comparison } from "./config.ts";
import { armJob, firstJob, type GridPoint, gridOf, type Job, jobKey } from "./job.ts";

/** A job and what it is for. */
export interface Planned {
  readonly key: string;
  readonly job: Job;
  /** Undefined for a first phase. */
  readonly arm?: Arm;
  readonly point?: GridPoint;
}

/** The first phase of every seed that an arm continues from. */
export async function firstPlan(comparison: Comparison): Promise<readonly Planned[]> {
  const { arms, seeds } = comparison;
  const tuned = arms.some((arm) => arm.goesOn && gridOf(arm).length > 1);
  const jobs = [...seeds.report, ...(tuned ? seeds.tuning : [])].map((seed) => firstJob(comparison, seed));
  return Promise.all(
    jobs.filter((job) => job !== undefined).map(async (job) => ({ key: await jobKey(job), job })),
  );
}

/** Every grid point of every arm with more than one, on every tuning seed. */
export async function tuningPlan(comparison: Comparison): Promise<readonly Planned[]> {
  const { arms, seeds } = comparison;
  // Seed by seed, so that consecutive jobs train on the same data.
  const planned = seeds.tuning.flatMap((seed) =>
    arms
      .filter((arm) => gridOf(arm).length > 1)
      .flatMap((arm) =>
        gridOf(arm).map((point) => ({ arm, point, job: armJob(comparison, arm, point, seed) })),
      ),
  );
  return Promise.all(planned.map(async (one) => ({ ...one, key: await jobKey(one.job) })));
}

/** Every arm on every report seed, with the grid point that tuning chose; arms for which it chose none are left out. */
export async function reportPlan(
  comparison: Comparison,
  chosen: ReadonlyMap<Arm, GridPoint>,
): Promise<readonly Planned[]> {
  const planned = comparison.seeds.report.flatMap((seed) =>
    [...chosen].map(([arm, point]) => ({ arm, point, job: armJob(comparison, arm, point, seed) })),
  );
  return Promise.all(planned.map(async (one) => ({ ...one, key: await jobKey(one.job) })));
}
