import { epochOrder } from "../data/batches.ts";
import type { Dataset } from "../data/dataset.ts";
import { type Batch, Batcher } from "./batch.ts";
import type { TrainerSettings } from "./options.ts";
import type { Program } from "./program.ts";

/** A data set being trained on: its buffers, and the order of its examples in the epoch under way. */
export class Feeding {
  readonly data: Dataset;
  readonly #batcher: Batcher;
  readonly #settings: Pick<TrainerSettings, "seed" | "batchSize">;
  #epoch: number | undefined;
  #order: Uint32Array = new Uint32Array();
  /** All examples at once, where that is what a batch is. */
  #whole: Batch | undefined;

  constructor(program: Program, data: Dataset, settings: Pick<TrainerSettings, "seed" | "batchSize">) {
    this.data = data;
    this.#batcher = new Batcher(program, data);
    this.#settings = settings;
  }

  /** Examples in the batch from `offset` on: the last of an epoch may be smaller. */
  sizeAt(offset: number): number {
    return Math.min(this.#settings.batchSize, this.data.count - offset);
  }

  /** The examples from `offset` on in the order of `epoch`. Its arrays are good until the next batch. */
  batch({ epoch, offset }: { readonly epoch: number; readonly offset: number }): Batch {
    const size = this.sizeAt(offset);
    if (size === this.data.count) {
      // There is nothing to shuffle, and the rows stay where they are: half the time of a small network's step.
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

function inOrder(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, index) => index);
}
