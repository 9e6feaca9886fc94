import type { Choice } from "./choice.ts";
import type { Fills } from "./fills.ts";
import type { Matrix } from "./matrix.ts";
import type { Width } from "./width.ts";

/** Units that are tried out on data: how many, and what they are filled with. */
export interface TrialUnits {
  readonly count: number;
  readonly strategy: Fills;
  readonly seed: number;
  readonly choice?: Choice;
}

/** What the network would make of trial units whose outgoing weights are zero; means over the examples. */
export interface Response {
  /** Squared norm of dL/dΩ of each unit, over all its outgoing weights. */
  readonly gradientSquares: Float64Array;
  /** Mean over the examples of each unit's squared activation where its outgoing weights read it, summed over positions. */
  readonly activationSquares: Float64Array;
}

/**
 * The part of the desired change that old units cannot make, for widths with one weight that makes them and
 * one that reads them.
 */
export interface Residual {
  /**
   * E[x Vᵀ], as {@link WidthProbe.pull} with V instead of -g: what is left of the desired change -g of the reading
   * weight's outputs after the best change dW of the weight itself, V = -g - dW·h.
   */
  readonly pull: Matrix;
  /** E[x xᵀ] of the making weight's inputs, summed over positions: [incoming entries, incoming entries]. */
  readonly inputMoment: Matrix;
}

/** Second moments about the reading weight, with trial units among those that it reads; means over the examples. */
export interface Curvature {
  /** E[h hᵀ] over fan-in, summed over positions: [fan-in, fan-in]. */
  readonly fanIn: Matrix;
  /** E[g gᵀ] over fan-out, g being an example's own gradient; the mean over positions: [fan-out, fan-out]. */
  readonly fanOut: Matrix;
  /** dL/d(reading weight): [fan-out, fan-in]. */
  readonly gradient: Matrix;
  /** The columns of fan-in that belong to old units (and anything else that the weight reads), and those of each trial unit. */
  readonly old: readonly number[];
  readonly trial: readonly (readonly number[])[];
}

/**
 * Measures one width of a model on data, in batches, so that memory does not grow with the data. Growth itself runs
 * nothing: `training/measure` implements it, and strategies and scores are handed it.
 */
export interface WidthProbe {
  readonly width: Width;
  /** Examples that every measurement looks at. */
  readonly examples: number;
  /** FLOPs of all measurements so far, and of what was charged. */
  readonly flops: number;
  /** Adds the cost of what was done with the measurements. */
  charge(flops: number): void;
  /** Entries of one unit in each of the width's parts, keyed as in `Choice.values`. */
  readonly entries: ReadonlyMap<string, number>;
  /** Mean over the old units of the norm of their outgoing weights. */
  readonly outgoingNorm: number;
  respond(trial: TrialUnits): Promise<Response>;
  /**
   * dL/d(incoming weights) of units that are zero on one side: row s is that of a unit whose s-th outgoing weight is 1 and
   * all others 0, so that a unit with outgoing weights ω has the gradient ωᵀ·pull. φ'(0) is taken from the right.
   * [outgoing entries of a unit, incoming entries].
   */
  pull(): Promise<Matrix>;
  /** Throws `NOT_GROWABLE` unless exactly one weight makes and one reads the width. */
  residual(): Promise<Residual>;
  /** Throws `NOT_GROWABLE` unless exactly one weight reads the width. */
  curvature(trial: TrialUnits): Promise<Curvature>;
  /** The loss with `by` new units of these values. */
  lossWith(choice: Choice, by: number): Promise<number>;
}

/** The parts of a width that make a unit, and those that read it; their concatenated slices are its entries. */
export const incomingParts = (width: Width) => width.parts.filter(({ role }) => role === "incoming");
export const outgoingParts = (width: Width) => width.parts.filter(({ role }) => role === "outgoing");
