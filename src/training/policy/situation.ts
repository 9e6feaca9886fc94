import type { DueGrowth } from "./growth-schedule.ts";

/** What a decision depends on, in addition to the controller's own state. Plain values and pure functions. */
export interface Situation {
  /** Updates done. */
  readonly step: number;
  /** Whether no update follows: then nothing grows any more, and only trials are judged. */
  readonly last: boolean;
  /** FLOPs spent by the run: training, scoring and growing. */
  readonly flops: number;
  /** FLOPs of the next update. */
  readonly stepFlops: number;
  /** Approximate FLOPs of trying this many units of a width on data; only used if there is a budget of FLOPs. */
  readonly tryingFlops: (width: string, units: number) => number;
  /** Whether new units are chosen by trying some on data. */
  readonly chooses: boolean;
  /** The widths that may grow, in the policy's order. */
  readonly widths: readonly WidthNow[];
  /** Trained parameters once these have grown, in entries; an upper bound if two of them share an axis. */
  readonly parametersAfter: (growths: readonly DueGrowth[]) => number;
}

export interface WidthNow {
  readonly id: string;
  /** Units. */
  readonly size: number;
  /** It grows by multiples of this many units. */
  readonly multiple: number;
}
