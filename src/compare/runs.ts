import type { Comparison } from "./config.ts";
import type { Widths } from "./end-size.ts";
import type { JobResult } from "./job.ts";
import type { Planned } from "./plan.ts";
import { bestPoint, type CurvePoint } from "./statistics/curve.ts";

/** One run of an arm, or of a whole sweep, on one seed. */
export interface SeedRun {
  readonly seed: number;
  readonly curve: readonly CurvePoint[];
  /** The evaluation with the least validation loss. */
  readonly best: CurvePoint;
  readonly endedBy: JobResult["endedBy"];
  readonly test?: JobResult["test"];
  readonly widths: Widths;
  readonly parameters: number;
  readonly growths: JobResult["growths"];
}

/** The runs of a line of the report. */
export interface Line {
  readonly name: string;
  readonly kind: "arm" | "sweep" | "member of a sweep";
  readonly runs: readonly SeedRun[];
}

/** Every line, in the order of the configuration; a sweep comes before its members. */
export function linesOf(
  { arms }: Comparison,
  plan: readonly Planned[],
  results: ReadonlyMap<string, JobResult>,
): readonly Line[] {
  const lines = arms.map((arm) => ({
    arm,
    runs: plan.filter((one) => one.arm === arm).flatMap(({ key, job }) => runOf(job.seed, results.get(key))),
  }));
  const done = new Set<string>();
  return lines.flatMap(({ arm, runs }): readonly Line[] => {
    const { name, sweep } = arm;
    if (sweep === undefined) return [{ name, kind: "arm", runs }];
    const line: Line = { name, kind: "member of a sweep", runs };
    if (done.has(sweep)) return [line];
    done.add(sweep);
    const members = lines.filter((other) => other.arm.sweep === sweep).map((member) => member.runs);
    return [{ name: sweep, kind: "sweep", runs: sweepRuns(members) }, line];
  });
}

function runOf(seed: number, result: JobResult | undefined): readonly SeedRun[] {
  if (result === undefined) return [];
  const { curve, endedBy, test, widths, parameters, growths } = result;
  const best = bestPoint(curve);
  if (best === undefined) return [];
  return [
    { seed, curve, best, endedBy, ...(test === undefined ? {} : { test }), widths, parameters, growths },
  ];
}

/**
 * A sweep as one run: each member is paid for up to its own best loss (as if one had known when to stop, which is
 * generous), and the best of them counts once all are paid for. Seeds on which a member is missing are left out.
 */
function sweepRuns(members: readonly (readonly SeedRun[])[]): readonly SeedRun[] {
  const [first = []] = members;
  return first.flatMap(({ seed }) => {
    const runs = members.flatMap((member) => member.filter((run) => run.seed === seed));
    if (runs.length < members.length) return [];
    const winner = runs.reduce((best, run) => (run.best.loss < best.best.loss ? run : best));
    const sum = (of: (point: CurvePoint) => number) => runs.reduce((total, { best }) => total + of(best), 0);
    const best = {
      step: sum(({ step }) => step),
      flops: sum(({ flops }) => flops),
      seconds: sum(({ seconds }) => seconds),
      loss: winner.best.loss,
    };
    return [{ ...winner, curve: [best], best }];
  });
}
