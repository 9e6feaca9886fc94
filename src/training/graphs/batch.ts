import { gatherRows } from "../../data/batches.ts";
import type { ColumnData } from "../../data/columns.ts";
import type { Dataset } from "../../data/dataset.ts";
import type { Feeds } from "../../engine/session.ts";
import { allocate } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { makeTensor, sizeOf, type Tensor } from "../../tensor/tensor.ts";
import { type Fed, type RowSource, sourcesOf } from "./rows.ts";

/** One batch in buffers that are reused from step to step. */
export interface Batch {
  readonly size: number;
  readonly feeds: Feeds;
}

/**
 * Copies examples of a dataset into the inputs of a program. Buffers are made once for each batch size, so that
 * a steady run allocates nothing.
 */
export class Batcher {
  readonly #sources: readonly RowSource[];
  readonly #made = new Map<number, Batch>();

  /** Throws if data and model do not fit, as {@link sourcesOf} does. */
  constructor(program: Fed, data: Dataset) {
    this.#sources = sourcesOf(program, data);
  }

  /** The examples `order[from]` to `order[from + size - 1]`. Valid until the next call with the same size. */
  take(order: Uint32Array, from: number, size: number): Batch {
    const batch = this.#made.get(size) ?? this.#make(size);
    for (const { input, rows } of this.#sources) {
      gatherRows(rows, order, from, size, batch.feeds[input.name]?.data as ColumnData, input.batchAxis);
    }
    return batch;
  }

  #make(size: number): Batch {
    const feeds: Record<string, Tensor> = {};
    for (const { input, rows } of this.#sources) {
      const { name, dtype, shape, batchAxis } = input;
      const fixed = shape[batchAxis];
      if (typeof fixed === "number" && fixed !== size) {
        throw new EspalierError("SHAPE_MISMATCH", {
          thing: `input "${name}"`,
          rule: `takes batches of exactly ${fixed} examples`,
          received: size,
          remedy: `Set batchSize to ${fixed} and give a multiple of it, or export the model with a batch axis of any size.`,
        });
      }
      const dims = rows.dims.toSpliced(batchAxis, 0, size);
      feeds[name] = makeTensor(dtype, dims, allocate(dtype, sizeOf(dims)));
    }
    const batch = { size, feeds };
    this.#made.set(size, batch);
    return batch;
  }
}
