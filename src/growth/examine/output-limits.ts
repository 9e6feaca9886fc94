import { isFloat } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** How far a float32 entry may move if it has no useful bound, relative to the size of what it belongs to. */
export const relativeLimit = 1e-4;

/** Unit roundoff of float32, for which {@link relativeLimit} is meant. */
const single = 2 ** -24;

/** For a coarser type, 1e-4 is less than one rounding: an entry may move by this many of its type's roundings. */
const coarseRoundings = 4;

/**
 * A finite rounding bound is trusted up to this share of the size of what it bounds, or up to the coarse roundings. Above
 * that (several layers of attention) it proves nothing: a wrong model would pass.
 */
const trusted = 1e-3;

/** Roundings allowed to an output that is at most 1, such as a sigmoid's: its kernels round as if it were 1. */
const rangeRoundings = 8;

/** The same for a coarser type, whose kernels compute in float32 and round once. */
const coarseRangeRoundings = 1;

/** How many times the model's own noise two runs may differ by; see training/verification/noise.ts. */
const noiseFactor = 4;

/** What is known about an output besides its two values. */
export interface Expectation {
  /** Whether no rounding bound could be computed. By default an absent bound means that the output is exact. */
  readonly unbounded?: boolean;
  /** Largest magnitude that the output can have, if its operator sets a limit (1 after a sigmoid). */
  readonly range?: number | undefined;
  /**
   * How far each entry moves, in either model, when weights move by a few roundings; absent if it was not measured. It is
   * trusted as far as a rounding bound is: above that the entry is undecided.
   */
  readonly noise?: ArrayLike<number> | undefined;
  /** Whether a rule proves that the function is the same. Bound and noise are then trusted however large they are. */
  readonly proven?: boolean;
  /** Unit roundoff of the coarsest element type on the way; default: that of float32. */
  readonly roundoff?: number;
}

/** How far each entry of an output may move. */
export class OutputLimits {
  readonly #sizes: readonly {
    readonly stride: number;
    readonly count: number;
    readonly largest: Float64Array;
  }[];
  readonly #whole: number;
  readonly #bounds: Float32Array | undefined;
  readonly #expectation: Expectation;
  readonly #limit: number;
  readonly #trusted: number;
  readonly #rounds: boolean;

  constructor(
    { dims, dtype }: Tensor,
    values: ArrayLike<number>,
    errorBound: Tensor | undefined,
    expectation: Expectation,
  ) {
    this.#bounds = errorBound?.data as Float32Array | undefined;
    this.#expectation = expectation;
    this.#rounds = isFloat(dtype);
    const own = roundoffs[dtype] ?? single;
    const roundoff = Math.max(own, expectation.roundoff ?? own);
    this.#limit = roundoff > single ? coarseRoundings * roundoff : relativeLimit * (roundoff / single);
    this.#trusted = Math.max(trusted, 2 * coarseRoundings * (roundoff > single ? roundoff : 0));
    // A slice of one entry says nothing about what is usual there.
    const telling = dims.flatMap((count, axis) => (values.length / count > 1 && count > 0 ? [axis] : []));
    this.#sizes = telling.map((axis) => {
      const stride = dims.slice(axis + 1).reduce((product, size) => product * size, 1);
      return { stride, count: dims[axis] as number, largest: new Float64Array(dims[axis] as number) };
    });
    let whole = 0;
    for (let index = 0; index < values.length; index++) {
      const size = Math.abs(values[index] as number);
      if (!Number.isFinite(size)) continue;
      whole = Math.max(whole, size);
      for (const { stride, count, largest } of this.#sizes) {
        const at = Math.floor(index / stride) % count;
        largest[at] = Math.max(largest[at] as number, size);
      }
    }
    this.#whole = whole;
  }

  /** The size of what an entry belongs to. */
  size(index: number): number {
    return this.#sizes.reduce(
      (least, { stride, count, largest }) =>
        Math.min(least, largest[Math.floor(index / stride) % count] as number),
      this.#whole,
    );
  }

  /** How far rounding alone may take the two runs apart; infinite if the bound says nothing. */
  rounding(index: number): number {
    if (this.#expectation.unbounded) return Number.POSITIVE_INFINITY;
    const told = 2 * (this.#bounds?.[index] ?? 0);
    return Number.isNaN(told) ? Number.POSITIVE_INFINITY : told;
  }

  /** Whether noise alone may have moved an entry by `difference`, and is too large to be trusted. */
  isUndecided(index: number, difference: number): boolean {
    const noise = this.#expectation.noise?.[index] ?? 0;
    if (!this.#rounds) return noise > 0;
    if (difference > this.rounding(index)) return false;
    if (!Number.isFinite(noise)) return true;
    return difference > this.allowed(index) && difference <= noiseFactor * noise;
  }

  allowed(index: number): number {
    if (!this.#rounds) return 0;
    const { range = 0, noise, proven = false, roundoff = single } = this.#expectation;
    const [size, rounding] = [this.size(index), this.rounding(index)];
    const told = noiseFactor * (noise?.[index] ?? 0);
    if (proven && Number.isFinite(rounding)) return rounding;
    const believed = (limit: number) =>
      Number.isFinite(limit) && (proven || limit <= this.#trusted * size) ? limit : 0;
    return Math.min(
      rounding,
      Math.max(
        this.#limit * size,
        believed(rounding),
        (roundoff > single ? coarseRangeRoundings : rangeRoundings) * roundoff * range,
        believed(told),
      ),
    );
  }
}

const roundoffs: { readonly [dtype: string]: number } = {
  float64: 2 ** -53,
  float32: single,
  float16: 2 ** -11,
  bfloat16: 2 ** -8,
};

/** Unit roundoff of a floating-point type; undefined for other types. */
export function roundoffOf(dtype: string): number | undefined {
  return roundoffs[dtype];
}
