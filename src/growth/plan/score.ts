import type { WidthProbe } from "./probe.ts";
import type { Width } from "./width.ts";

/** How much new units of a width would help: a record of pure functions over what a probe measures. */
export interface Score {
  readonly name: string;
  /** One line for people. */
  readonly summary: string;
  readonly source: string;
  /** Why it cannot judge a width that can grow; undefined if it can. */
  readonly refuses?: (width: Width) => string | undefined;
  /**
   * Predicted decrease of the loss, to first order in the function, by the best new unit, the second best, ...: at most
   * `units` numbers, descending. Comparable between widths, not between methods.
   */
  readonly gains: (
    probe: WidthProbe,
    request: { readonly units: number; readonly seed: number },
  ) => Promise<readonly number[]>;
}

/** What one score says about one width. */
export interface WidthScore {
  readonly width: string;
  readonly method: string;
  /** Units now. */
  readonly size: number;
  /** Predicted decrease of the loss by each of the best new units, descending; empty if there is a `reason`. */
  readonly gains: readonly number[];
  /** Sum of the gains divided by the parameters, and by the FLOPs (of one example's forward pass), that those units cost. */
  readonly perParameter: number;
  readonly perFlop: number;
  readonly costPerUnit: { readonly parameters: number; readonly flops: number };
  /** Why the score cannot judge the width; empty if it can. */
  readonly reason: string;
  /** What scoring took. */
  readonly cost: { readonly flops: number; readonly seconds: number };
}
