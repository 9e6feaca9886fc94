import { epochOrder } from "../../data/batches.ts";
import type { Dataset } from "../../data/dataset.ts";
import { evaluateDim } from "../../graph/dim.ts";
import type { Model } from "../../graph/model.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { TrainerSettings } from "../settings/options.ts";
import { type TaskOptions, taskOf } from "../settings/task-options.ts";
import { type Batch, Batcher } from "./batch.ts";
import { type Program, writeProgram } from "./program.ts";
import { feedSizes, fixedBatch } from "./program-inputs.ts";

type Fed = TaskOptions & Pick<TrainerSettings, "frozen" | "seed" | "batchSize">;

/** A data set being trained on: its buffers, and the order of its examples in the current epoch. */
export class Feeding {
  readonly data: Dataset;
  readonly #batcher: Batcher;
  readonly #settings: Pick<TrainerSettings, "seed" | "batchSize">;
  #epoch: number | undefined;
  #order: Uint32Array = new Uint32Array();
  /** All examples at once, if that is what a batch is. */
  #whole: Batch | undefined;

  /** Whether a batch of one would leave too few values for a variance. */
  readonly #atLeastTwo: boolean;

  /** Throws if data and model do not fit, and `ARGUMENT` for batches of one if the model normalizes over batches. */
  constructor(program: Program, data: Dataset, settings: Pick<TrainerSettings, "seed" | "batchSize">) {
    this.data = data;
    this.#batcher = new Batcher(program, data);
    this.#settings = settings;
    this.#atLeastTwo = program.several.length > 0 && this.#isOne(program);
    if (this.#atLeastTwo && this.sizeAt(0) === 1) throw batchOfOne(data, settings.batchSize);
  }

  #isOne(program: Program): boolean {
    const fixed = fixedBatch(program);
    if (fixed !== undefined && fixed > 1) return false;
    const sizes = feedSizes(program, this.#batcher.take(inOrder(1), 0, 1).feeds);
    return program.several.some((count) => evaluateDim(count, sizes) === 1);
  }

  /**
   * Examples in the batch from `offset` on: the last of an epoch may be smaller. A last batch of one joins the one before
   * it if it could not be normalized.
   */
  sizeAt(offset: number): number {
    const left = this.data.count - offset;
    const size = Math.min(this.#settings.batchSize, left);
    return this.#atLeastTwo && left - size === 1 ? left : size;
  }

  /** Updates in an epoch. */
  get updates(): number {
    let updates = 0;
    for (let offset = 0; offset < this.data.count; offset += this.sizeAt(offset)) updates++;
    return updates;
  }

  /** The examples from `offset` on in the order of `epoch`. Its arrays are valid until the next batch. */
  batch({ epoch, offset }: { readonly epoch: number; readonly offset: number }): Batch {
    const size = this.sizeAt(offset);
    if (size === this.data.count) {
      // There is nothing to shuffle, and not copying rows saves half the time of a small network's step.
      this.#whole ??= this.#batcher.take(inOrder(size), 0, size);
      return this.#whole;
    }
    if (this.#epoch !== epoch) {
      this.#order = epochOrder(this.data.count, this.#settings.seed, epoch);
      this.#epoch = epoch;
    }
    return this.#batcher.take(this.#order, offset, size);
  }
}

/** Updates in an epoch with these settings. Throws what {@link writeProgram} and {@link Feeding} throw. */
export function updatesPerEpoch(model: Model, data: Dataset, settings: Fed): number {
  const program = writeProgram({
    model,
    widths: [],
    ...taskOf(settings),
    frozen: settings.frozen,
    training: true,
  });
  return new Feeding(program, data, settings).updates;
}

function batchOfOne(data: Dataset, batchSize: number): EspalierError {
  const single = data.count === 1;
  return new EspalierError("ARGUMENT", {
    thing: single ? `data set "${data.name}"` : "batchSize",
    rule: "must be at least 2: the model has a BatchNormalization, and one value has no variance to normalize by",
    received: single ? data.count : batchSize,
    remedy:
      "Use larger batches (batchSize, or --batch), or freeze the scale and shift of each BatchNormalization.",
  });
}

function inOrder(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, index) => index);
}
