import type { Tensor } from "../tensor/tensor.ts";

/**
 * What outputs may differ by, relative to their largest entry. The rounding bound of a deep network is often so far
 * from its errors that it says nothing; where it is below this, it alone decides.
 */
export const relativeLimit = 1e-4;

/** How far two runs of the same function lie apart. */
export interface OutputDifference {
  /** Largest |after - before| of any output entry. */
  readonly maximum: number;
  /** The same relative to the largest entry before. */
  readonly relative: number;
  /** The rounding bound at the entry that comes closest to its bound (twice the running error bound). */
  readonly bound: number;
  /** Whether every entry is within its bound. */
  readonly withinBound: boolean;
  /** Whether every bit is the same. */
  readonly identical: boolean;
}

/** Whether two runs compute the same function. Without rounding bounds the {@link relativeLimit} decides alone. */
export function isPreserved(
  { relative, withinBound }: Pick<OutputDifference, "relative" | "withinBound">,
  bounded = true,
): boolean {
  return relative <= relativeLimit && (withinBound || !bounded);
}

/** Compares outputs before and after growth, entry by entry, with the bound on each one's rounding error. */
export function compareOutputs(
  before: Tensor,
  after: Tensor,
  errorBound: Tensor | undefined,
): OutputDifference {
  const a = numbersOf(before);
  const b = numbersOf(after);
  const e = errorBound?.data as Float32Array | undefined;
  let maximum = 0;
  let largest = 0;
  let closest = 0;
  let bound = 0;
  let withinBound = a.length === b.length;
  let identical = withinBound;
  for (let index = 0; index < a.length; index++) {
    const same = Object.is(a[index], b[index]) || a[index] === b[index];
    const difference = same ? 0 : Math.abs((b[index] as number) - (a[index] as number));
    // A bound that overflowed bounds nothing.
    const told = 2 * (e?.[index] ?? 0);
    const allowed = Number.isNaN(told) ? Number.POSITIVE_INFINITY : told;
    largest = Math.max(largest, Math.abs(a[index] as number));
    if (!same) identical = false;
    if (!(difference <= allowed)) withinBound = false;
    if (!(difference <= maximum)) maximum = difference;
    const share = allowed === 0 ? (difference === 0 ? 0 : Number.POSITIVE_INFINITY) : difference / allowed;
    if (share >= closest) {
      closest = share;
      bound = allowed;
    }
  }
  return { maximum, relative: maximum === 0 ? 0 : maximum / largest, bound, withinBound, identical };
}

/** The elements as numbers: integers beyond 2^53, which no label is, would be rounded. */
function numbersOf({ data }: Tensor): ArrayLike<number> {
  return data instanceof BigInt64Array || data instanceof BigUint64Array
    ? Array.from(data, Number)
    : (data as Float32Array);
}
