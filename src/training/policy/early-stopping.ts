import { EspalierError } from "../../tensor/errors.ts";

/** When a run stops because its validation score no longer improves. */
export interface EarlyStopping {
  /** Validations without improvement before it stops. */
  readonly patience: number;
  /** "loss" or the name of a metric. Default "loss". */
  readonly monitor?: string;
  /** Improvement that counts. Default 0. */
  readonly minDelta?: number;
}

/** A score that can be watched, and which of two is better. */
interface Watched {
  readonly name: string;
  readonly better: "higher" | "lower";
}

/** Follows validation scores. Its state depends only on the scores so far, so a resumed run replays them. */
export class StoppingWatch {
  readonly #rule: EarlyStopping;
  readonly #sign: number;
  #best: { readonly step: number; readonly score: number } | undefined;
  #misses = 0;

  constructor(rule: EarlyStopping, better: "higher" | "lower") {
    this.#rule = rule;
    this.#sign = better === "higher" ? -1 : 1;
  }

  /** Watches what the rule says. Throws `ARGUMENT` for a monitor that is neither the loss nor a metric, or without data. */
  static of(rule: EarlyStopping, metrics: readonly Watched[], hasValidation: boolean): StoppingWatch {
    const { monitor = "loss" } = rule;
    const metric = metrics.find(({ name }) => name === monitor);
    if (!hasValidation || (metric === undefined && monitor !== "loss")) {
      throw new EspalierError("ARGUMENT", {
        thing: "earlyStopping",
        rule: `needs \`validation\` and a monitor among ${["loss", ...metrics.map(({ name }) => name)].join(", ")}`,
        received: hasValidation ? monitor : "no validation data",
        remedy: "Omit monitor to watch the loss.",
      });
    }
    return new StoppingWatch(rule, metric?.better ?? "lower");
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
