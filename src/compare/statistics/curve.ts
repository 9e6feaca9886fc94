/** An evaluation on the validation data. */
export interface CurvePoint {
  readonly step: number;
  /** FLOPs so far of everything: training, scoring and growing. */
  readonly flops: number;
  /** Seconds of training and growing so far; evaluations do not count. */
  readonly seconds: number;
  /** Validation loss. */
  readonly loss: number;
}

/** The first point with the least loss; undefined if no loss of the curve is finite. */
export function bestPoint(curve: readonly CurvePoint[]): CurvePoint | undefined {
  let best: CurvePoint | undefined;
  for (const point of curve) {
    if (Number.isFinite(point.loss) && (best === undefined || point.loss < best.loss)) best = point;
  }
  return best;
}

/** The cost at the first evaluation whose loss is `target` or less; Infinity if there is none. */
export function costTo(
  curve: readonly CurvePoint[],
  target: number,
): { readonly flops: number; readonly seconds: number } {
  const reached = curve.find(({ loss }) => loss <= target);
  if (reached === undefined) return { flops: Number.POSITIVE_INFINITY, seconds: Number.POSITIVE_INFINITY };
  return { flops: reached.flops, seconds: reached.seconds };
}

/** The best loss within `flops`; Infinity if there was no evaluation within them. */
export function lossWithin(curve: readonly CurvePoint[], flops: number): number {
  return bestPoint(curve.filter((point) => point.flops <= flops))?.loss ?? Number.POSITIVE_INFINITY;
}
