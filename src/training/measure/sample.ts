import type { Dataset } from "../../data/dataset.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { OptionNames } from "../../tensor/known-options.ts";
import { Random } from "../../tensor/random.ts";
import { type Batch, Batcher } from "../graphs/batch.ts";
import type { Program } from "../graphs/program.ts";
import { fixedBatch } from "../graphs/program-inputs.ts";

export interface SampleOptions {
  /** Examples to measure on, drawn without replacement; all if there are fewer. Default 512. */
  readonly examples?: number;
  /** Examples in memory at a time. Default 512. */
  readonly batchSize?: number;
}

/** Their names, for callers in JavaScript. */
export const sampleNames: OptionNames<SampleOptions> = { examples: true, batchSize: true };

/** A seeded part of a data set, batch by batch. The draw depends only on seed and step, so that a resumed run repeats it. */
export class Sample {
  readonly count: number;
  readonly #data: Dataset;
  readonly #order: Uint32Array;
  readonly #batchSize: number;

  /** Throws `ARGUMENT` and `EMPTY_DATA`. */
  constructor(
    data: Dataset,
    { examples = 512, batchSize = 512 }: SampleOptions,
    at: { readonly seed: number; readonly step: number },
  ) {
    for (const [thing, value] of Object.entries({ examples, batchSize })) {
      if (Number.isSafeInteger(value) && value >= 1) continue;
      throw new EspalierError("ARGUMENT", {
        thing,
        rule: "must be a positive whole number",
        received: value,
      });
    }
    if (data === undefined)
      throw new EspalierError("ARGUMENT", { thing: "data", rule: "is needed to measure on", received: data });
    if (data.count === 0)
      throw new EspalierError("EMPTY_DATA", { thing: data.name, rule: "needs at least one example" });
    this.#data = data;
    this.#batchSize = batchSize;
    this.#order = new Random(at.seed, "sample to measure", at.step).sample(data.count, examples);
    this.count = this.#order.length;
  }

  /** The batches as a program takes them, in turn; each is valid until the next. */
  *batches(program: Program): Generator<Batch> {
    const batcher = new Batcher(program, this.#data);
    const most = fixedBatch(program) ?? this.#batchSize;
    for (let from = 0; from < this.count; from += most) {
      yield batcher.take(this.#order, from, Math.min(most, this.count - from));
    }
  }
}
