import { epochOrder } from "../data/batches.ts";
import type { Dataset } from "../data/dataset.ts";
import { Batcher } from "./batch.ts";
import type { Program } from "./program.ts";

/** A data set being trained on: its buffers, and the order of its examples in the epoch under way. */
export class Feeding {
  readonly data: Dataset;
  readonly #batcher: Batcher;
  readonly #seed: number;
  #epoch: number | undefined;
  #order: Uint32Array = new Uint32Array();

  constructor(program: Program, data: Dataset, seed: number) {
    this.data = data;
    this.#batcher = new Batcher(program, data);
    this.#seed = seed;
  }

  /** The `size` examples from `offset` on in the order of `epoch`. Its arrays are good until the next batch. */
  batch(epoch: number, offset: number, size: number) {
    if (this.#epoch !== epoch) {
      this.#order = epochOrder(this.data.count, this.#seed, epoch);
      this.#epoch = epoch;
    }
    return this.#batcher.take(this.#order, offset, size);
  }
}
