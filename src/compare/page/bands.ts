import type { SeedRun } from "../runs.ts";
import type { CurvePoint } from "../statistics/curve.ts";
import { quantile } from "../statistics/quantile.ts";

/** The best loss so far of several runs, at one point of the horizontal axis. */
export interface BandPoint {
  readonly x: number;
  readonly low: number;
  readonly middle: number;
  readonly high: number;
}

const places = 120;

/**
 * Median and quartiles over runs of the best validation loss so far, against `value` of a point. A run that has ended
 * keeps its best; the band begins where every run has been evaluated, and ends where the median run ends.
 */
export function bandOf(runs: readonly SeedRun[], value: (point: CurvePoint) => number): readonly BandPoint[] {
  if (runs.length === 0) return [];
  const curves = runs.map(({ curve }) => bestSoFar(curve, value));
  const end = quantile(
    curves.map((curve) => curve.at(-1)?.x ?? 0),
    0.5,
  );
  const start = Math.max(...curves.map((curve) => curve[0]?.x ?? 0));
  if (!(end > start)) return [at(curves, Math.max(start, end))];
  return Array.from({ length: places + 1 }, (_, index) =>
    at(curves, start + ((end - start) * index) / places),
  );
}

type Staircase = readonly { readonly x: number; readonly loss: number }[];

function at(curves: readonly Staircase[], x: number): BandPoint {
  const losses = curves.map(
    (curve) => curve.findLast((point) => point.x <= x * (1 + 1e-12))?.loss ?? Number.NaN,
  );
  return { x, low: quantile(losses, 0.25), middle: quantile(losses, 0.5), high: quantile(losses, 0.75) };
}

function bestSoFar(curve: readonly CurvePoint[], value: (point: CurvePoint) => number): Staircase {
  let best = Number.POSITIVE_INFINITY;
  return curve.map((point) => {
    if (point.loss < best) best = point.loss;
    return { x: value(point), loss: best };
  });
}
