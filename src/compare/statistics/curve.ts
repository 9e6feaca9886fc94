/** An evaluation on the validation data. */
export interface CurvePoint {
  readonly step: number;
  /** Of everything so far: training, scoring, growing. */
  readonly flops: number;
  /** Of training and growing so far; evaluations do not count. */
  readonly seconds: number;
  /** Validation loss. */
  readonly loss: number;
}

/** The first point with the least loss; undefined for a curve without a finite loss. */
export function bestPoint(curve: readonly CurvePoint[]): CurvePoint | undefined {
  let best: CurvePoint | undefined;
  for (const point of curve) {
    if (Number.isFinite(point.loss) && (best === undefined || point.loss < best.loss)) best = point;
  }
  return best;
}

/** What it cost to come to a loss of `target` or less, as the first evaluation found it; Infinity where it never did. */
export function costTo(
  curve: readonly CurvePoint[],
  target: number,
): { readonly flops: number; readonly seconds: number } {
  const reached = curve.find(({ loss }) => loss <= target);
  if (reached === undefined) return { flops: Number.POSITIVE_INFINITY, seconds: Number.POSITIVE_INFINITY };
  return { flops: reached.flops, seconds: reached.seconds };
}

/** The best loss that `flops` bought; Infinity where they bought none. */
export function lossWithin(curve: readonly CurvePoint[], flops: number): number {
  return bestPoint(curve.filter((point) => point.flops <= flops))?.loss ?? Number.POSITIVE_INFINITY;
}
