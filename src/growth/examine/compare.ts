import type { Tensor } from "../../tensor/tensor.ts";
import { isReal, realValues } from "../plan/real-parameter.ts";
import { type Expectation, OutputLimits, relativeLimit } from "./output-limits.ts";

export { relativeLimit };

/** How far apart two runs of the same function are. */
export interface OutputDifference {
  /** Largest |after - before| of any entry; infinite if any entry is finite on one side only. */
  readonly maximum: number;
  /** Largest such difference relative to the size of what the entry belongs to: its channel or its example. */
  readonly relative: number;
  /** How far the entry that came closest to its limit was allowed to move. */
  readonly bound: number;
  /** Whether every entry is within twice its rounding bound. */
  readonly withinBound: boolean;
  /** Whether every bit is the same (zeros of either sign count as equal). */
  readonly identical: boolean;
  readonly entries: number;
  /** Number of entries that were finite before. */
  readonly finite: number;
  /** Number of entries whose bits differ. */
  readonly differing: number;
  /** Number of entries that are finite on one side only, or infinite with another sign. */
  readonly misplaced: number;
  /** Number of entries that rounding alone may decide either way (a tie, a step): nothing can be said about them. */
  readonly undecided: number;
  /** Number of entries that moved further than allowed. */
  readonly beyond: number;
}

/** What became of an entry: same bits, moved (within its limit or beyond), or undecided. */
export const verdicts = { same: 0, moved: 1, undecided: 2 } as const;

/** A difference, and the verdict on each entry; none if all are the same. */
export interface LocatedDifference extends OutputDifference {
  readonly at: Uint8Array | undefined;
}

/** Whether two runs compute the same function, as far as these outputs show. */
export function isPreserved({ beyond }: Pick<OutputDifference, "beyond">): boolean {
  return beyond === 0;
}

/** The difference that says most about several outputs: that of one beyond its limits, else the largest. */
export function worstOf<Difference extends OutputDifference>(all: readonly Difference[]): Difference {
  const isWorse = (one: Difference, other: Difference) =>
    isPreserved(one) === isPreserved(other) ? one.maximum > other.maximum : !isPreserved(one);
  return all.reduce((worst, one) => (isWorse(one, worst) ? one : worst));
}

/**
 * Compares outputs before and after a change, entry by entry. NaN and infinities must be in the same places. A finite
 * entry may move by its rounding bound (twice `errorBound`, one for each run), but by no more than the largest of
 * - {@link relativeLimit} of its size: the largest entry of its channel or of its example, whichever is smaller,
 * - that bound, if it is below a thousandth of that size,
 * - a few roundings of the output's range, if it has one,
 * - a multiple of the measured noise, if that is below a thousandth of that size; above it the entry is undecided.
 * Entries that are not floating-point numbers must be equal, unless the noise changes them too.
 */
export function compareOutputs(
  before: Tensor,
  after: Tensor,
  errorBound: Tensor | undefined,
  expectation: Expectation = {},
): LocatedDifference {
  const [a, b] = numbersOf(before, after);
  const entries = a.length;
  if (before.dims.length !== after.dims.length || before.dims.some((size, at) => size !== after.dims[at])) {
    return { ...unlike, entries, differing: entries, misplaced: entries, beyond: Math.max(entries, 1) };
  }
  const limits = new OutputLimits(before, a, errorBound, expectation);
  let [maximum, relative, bound, closest] = [0, 0, 0, 0];
  let [finite, differing, misplaced, beyond] = [0, 0, 0, 0];
  let undecided = 0;
  let at: Uint8Array | undefined;
  let withinBound = true;
  for (let index = 0; index < entries; index++) {
    const [x, y] = [a[index] as number, b[index] as number];
    if (Number.isFinite(x)) finite++;
    if (Object.is(x, y) || x === y) continue;
    differing++;
    const difference = Math.abs(y - x);
    const both = Number.isFinite(difference);
    const allowed = limits.allowed(index);
    if (!both) [misplaced, maximum] = [misplaced + 1, Number.POSITIVE_INFINITY];
    if (!(difference <= limits.rounding(index))) withinBound = false;
    at ??= new Uint8Array(entries);
    const open = limits.isUndecided(index, difference);
    at[index] = open ? verdicts.undecided : verdicts.moved;
    if (open) undecided++;
    else if (!(difference <= allowed)) beyond++;
    if (!both) continue;
    maximum = Math.max(maximum, difference);
    relative = Math.max(relative, difference / limits.size(index));
    const share = allowed === 0 ? Number.POSITIVE_INFINITY : difference / allowed;
    if (share >= closest) [closest, bound] = [share, allowed];
  }
  const identical = differing === 0;
  const counts = { entries, finite, differing, misplaced, undecided, beyond };
  return { maximum, relative, bound, withinBound, identical, ...counts, at };
}

const unlike = {
  maximum: Number.POSITIVE_INFINITY,
  relative: Number.POSITIVE_INFINITY,
  bound: 0,
  withinBound: false,
  identical: false,
  finite: 0,
  undecided: 0,
  at: undefined,
} as const;

/** Both as numbers that are equal exactly when the elements are. */
function numbersOf(before: Tensor, after: Tensor): readonly [ArrayLike<number>, ArrayLike<number>] {
  if (before.dtype !== after.dtype) return [realOf(before), realOf(after)];
  const [a, b] = [before.data, after.data];
  if (a instanceof BigInt64Array || a instanceof BigUint64Array) {
    // Different integers that become the same number are moved apart.
    const near = Float64Array.from(b as BigInt64Array, (value, index) => {
      const number = Number(value);
      return value !== a[index] && number === Number(a[index])
        ? number + Math.abs(number) * 2 ** -50
        : number;
    });
    return [Float64Array.from(a as BigInt64Array, Number), near];
  }
  if (before.dtype !== "string") return [realOf(before), realOf(after)];
  const known = new Map((before.strings ?? []).map((text, index) => [text, index]));
  const renumbered = (after.strings ?? []).map((text, index) => known.get(text) ?? -1 - index);
  return [a as Uint32Array, Float64Array.from(b as Uint32Array, (at) => renumbered[at] as number)];
}

function realOf(tensor: Tensor): ArrayLike<number> {
  return isReal(tensor.dtype) ? realValues(tensor) : Array.from(tensor.data as ArrayLike<number>, Number);
}
