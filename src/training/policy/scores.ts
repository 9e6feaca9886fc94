import type { WidthScore } from "../../growth/plan/score.ts";

/** The part of a score that a decision needs. */
export type ScoreTaken = Pick<WidthScore, "width" | "method" | "gains" | "costPerUnit">;

/** Predicted decrease of the loss by the `by` best new units. */
export function gainOf({ gains }: ScoreTaken, by: number): number {
  return gains.slice(0, by).reduce((sum, gain) => sum + gain, 0);
}
