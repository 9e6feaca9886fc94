import type { Choice } from "./choice.ts";
import type { Strategy } from "./strategy.ts";
import type { Width } from "./width.ts";

/** Units that are tried out on data: how many, and what they are filled with. */
export interface TrialUnits {
  readonly count: number;
  readonly strategy: Pick<Strategy, "incoming" | "outgoing" | "shift" | "scale">;
  readonly seed: number;
  readonly choice?: Choice;
}

/** What the network would make of trial units whose outgoing weights are zero; means over the examples. */
export interface Response {
  /** Squared norm of dL/dΩ of each unit, over its outgoing weights on all sides. */
  readonly gradientSquares: Float64Array;
  /** Mean over the examples of each unit's squared activation where its outgoing weights read it, summed over positions. */
  readonly activationSquares: Float64Array;
}

/** Rows of numbers, one after the other. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/**
 * Measures one width of a model on data, in batches, so that memory does not grow with the data. Growth itself runs
 * nothing: `training/measure` implements it, and strategies and scores are handed it.
 */
export interface WidthProbe {
  readonly width: Width;
  /** Examples that every measurement looks at. */
  readonly examples: number;
  respond(trial: TrialUnits): Promise<Response>;
  /** FLOPs of all measurements so far. */
  readonly flops: number;
}
