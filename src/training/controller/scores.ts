/** What new units of a width promise, predicted to first order. */
export interface WidthScore {
  readonly width: string;
  readonly method: string;
  /** Decrease of the loss by the best new unit, by the second best, ..., in the units of the loss; descending. */
  readonly gains: readonly number[];
  /** What one unit costs; FLOPs for one example. */
  readonly costPerUnit: { readonly parameters: number; readonly flops: number };
  /** What this scoring cost. */
  readonly cost: { readonly flops: number; readonly seconds: number };
}

/** A request for scores. */
export interface ScoreRequest {
  readonly widths: readonly string[];
  /** Gains wanted of each. */
  readonly units: number;
  readonly method?: string;
}

/** Scores widths of the model as it is now. */
export type Scorer = (request: ScoreRequest) => Promise<readonly WidthScore[]>;

/** Predicted decrease of the loss by the `by` best new units. */
export function gainOf({ gains }: WidthScore, by: number): number {
  return gains.slice(0, by).reduce((sum, gain) => sum + gain, 0);
}
