import type { GrowthEvent } from "./growth-schedule.ts";

/**
 * When, where and by how much a network grows while it trains, and when that ends: plain JSON, for configurations,
 * checkpoints and the command line. Read one with `readPolicy`, check it against a model with `checkPolicy`.
 */
export type GrowthPolicy = ScheduledPolicy | RuledPolicy;

/** Growths that were decided beforehand. */
export interface ScheduledPolicy {
  readonly events: readonly GrowthEvent[];
  /** Which values new units get. Default "random". */
  readonly strategy?: string;
}

/** Rules by which the controller decides. */
export interface RuledPolicy {
  readonly when: When;
  /** Default: one width after another. */
  readonly where?: Where;
  readonly howMany: HowMany;
  /** When growing ends; training continues. Default: never. */
  readonly stop?: Stop;
  /** When the run ends. Default: with its steps. */
  readonly budget?: Budget;
  /** Undoes a growth that has not paid off. Default: every growth is kept. */
  readonly trial?: Trial;
  /** Which values new units get. Default "candidates" if there is such a strategy, else "random". */
  readonly strategy?: string;
  /** The method of the scores that `when`, `where` and `howMany` may ask for. Default: the trainer's. */
  readonly score?: string;
  /** Losses that are compared before and after a growth are means over this many updates. Default 20. */
  readonly smoothing?: number;
}

/** The moments at which it may grow. Steps are updates done, counted from the first of the run. */
export type When =
  /** After `from` updates (default: `every`) and each `every` after that. */
  | { readonly every: number; readonly from?: number }
  /** After these numbers of updates. */
  | { readonly at: readonly number[] }
  | { readonly plateau: Plateau }
  | { readonly score: ScoreThreshold }
  /** Each time that another `every` of the budget's FLOPs has been spent, such as 0.2. Needs `budget.flops`. */
  | { readonly budget: { readonly every: number } };

/** The training loss no longer falls: its mean over a window is below that of the previous window by less than a share. */
export interface Plateau {
  /** Updates in a window. Counting restarts after each growth. */
  readonly window: number;
  /** The relative decrease from one window to the next that is still progress, such as 0.01. */
  readonly minGain: number;
  /** Windows in a row without progress. Default 1. */
  readonly patience?: number;
  /** Fewest updates between two growths. Default: what the windows need. */
  readonly atLeast?: number;
}

/** The best new unit of some width promises enough. */
export interface ScoreThreshold {
  /** Updates between two scorings; each costs FLOPs. */
  readonly every: number;
  /** Predicted first-order decrease of the loss by one unit, in the units of the loss. */
  readonly above: number;
}

/** Which widths grow at a moment. "all" stands for every width that can grow. */
export type Where =
  | { readonly width: string }
  /** One at a time, in this order. */
  | { readonly roundRobin: readonly string[] | "all" }
  /** All of them at once. */
  | { readonly together: readonly string[] | "all" }
  /** The one whose new units promise the largest decrease of the loss for each that they cost, or for each unit. */
  | { readonly best: "flops" | "parameters" | "units"; readonly among?: readonly string[] };

/** How many units a width grows by. Multiples and targets of a width are respected. */
export type HowMany =
  | { readonly units: number }
  /** A share of the units that it has, such as 0.5; at least one. */
  | { readonly fraction: number }
  /** All that promise at least `share` of what the best one does, but at most `most`. */
  | { readonly marginal: { readonly share: number; readonly most: number } }
  /** To these sizes in this many growths of each width, each by the same factor. Other widths do not grow. */
  | { readonly targets: Readonly<Record<string, number>>; readonly growths: number };

/** Each ends the growing; if the last growth would exceed one of the sizes, it is cut to fit. */
export interface Stop {
  /** Largest number of trained parameters, in entries. */
  readonly parameters?: number;
  /** Largest number of units by width. */
  readonly widths?: Readonly<Record<string, number>>;
  /** Moments at which something grew and stayed. */
  readonly growths?: number;
  /** Updates after which nothing grows any more. */
  readonly steps?: number;
  /** This many growths in a row, each of which lowered the smoothed loss by less than a share, such as 0.01. */
  readonly noGain?: { readonly growths: number; readonly minGain: number };
}

/** Ends the run before an update, a scoring or a growth would exceed it. */
export interface Budget {
  /** Of training, scoring and growing together. */
  readonly flops?: number;
  /** Of the same, on the clock; the update under way is finished. Counts on when a run is resumed. */
  readonly seconds?: number;
}

/** A growth is kept if the loss has fallen enough some updates later; else everything but its costs is undone. */
export interface Trial {
  /** Updates after the growth at which it is judged. */
  readonly steps: number;
  /** Relative decrease of the loss that pays, such as 0.01. */
  readonly minGain: number;
  /** Judged by the smoothed training loss, or that of the validation data. Default "training". */
  readonly loss?: "training" | "validation";
}

/** Updates over which losses are averaged, if a policy does not say. */
export const defaultSmoothing = 20;

/** Whether decisions need scores. */
export function needsScores(policy: GrowthPolicy): boolean {
  if ("events" in policy) return false;
  const { when, where, howMany } = policy;
  return "score" in when || (where !== undefined && "best" in where) || "marginal" in howMany;
}
