/** When a run stops because its validation score no longer improves. */
export interface StoppingRule {
  /** Scores without improvement before it stops. */
  readonly patience: number;
  /** "loss" or the name of a metric. Default "loss". */
  readonly monitor?: string;
  /** Improvement that counts. Default 0. */
  readonly minDelta?: number;
}

/** Follows validation scores. It holds nothing but what the scores so far decide, so a resumed run replays them. */
export class StoppingWatch {
  readonly #rule: StoppingRule;
  readonly #sign: number;
  #best: { readonly step: number; readonly score: number } | undefined;
  #misses = 0;

  constructor(rule: StoppingRule, better: "higher" | "lower") {
    this.#rule = rule;
    this.#sign = better === "higher" ? -1 : 1;
  }

  get best(): { readonly step: number; readonly score: number } | undefined {
    return this.#best;
  }

  get exhausted(): boolean {
    return this.#misses >= this.#rule.patience;
  }

  /** Takes the score of a step; returns whether it is the best so far. */
  see(step: number, score: number): boolean {
    const { minDelta = 0 } = this.#rule;
    const best = this.#best?.score ?? this.#sign * Number.POSITIVE_INFINITY;
    // A score that is not finite is no improvement: as the first best, NaN would never be beaten.
    if (Number.isFinite(score) && this.#sign * score < this.#sign * best - minDelta) {
      this.#best = { step, score };
      this.#misses = 0;
      return true;
    }
    this.#misses++;
    return false;
  }
}
