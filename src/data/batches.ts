import { EspalierError } from "../tensor/errors.ts";
import { hashName, Random } from "../tensor/random.ts";
import { sizeOf } from "../tensor/tensor.ts";
import type { Dataset } from "./dataset.ts";

const shuffleStream = hashName("shuffle");

/**
 * The order in which epoch `epoch` visits `count` examples: a permutation that depends on nothing but the
 * three arguments, so that a resumed run finds its place from the epoch and the position in it.
 */
export function epochOrder(count: number, seed: number, epoch: number): Uint32Array {
  // Added, not hashed into the name: two epochs of a run can then never share a stream.
  return new Random(seed, (shuffleStream + epoch) >>> 0).permutation(count);
}

/** Where a batch is copied to; each array holds at least as many rows as the largest batch. */
export interface BatchBuffers {
  /** [batch, ...featureDims] */
  readonly features: Float32Array;
  /** [batch] */
  readonly labels?: Int32Array | undefined;
  /** [batch, ...targetDims] */
  readonly targets?: Float32Array | undefined;
}

/**
 * Copies the examples `order[from]` to `order[from + size - 1]` into `into`, row after row; labels and targets
 * where `into` has room for them. Allocates no storage. Throws `ARGUMENT` past the end of `order`,
 * `SHAPE_MISMATCH` where a buffer is too short or the dataset has no such part.
 */
export function gatherBatch(
  data: Dataset,
  order: Uint32Array,
  from: number,
  size: number,
  into: BatchBuffers,
): void {
  if (!(from >= 0 && size >= 0 && from + size <= order.length)) {
    throw new EspalierError("ARGUMENT", {
      thing: `batch of ${data.name}`,
      rule: `must lie within the ${order.length} examples of the order`,
      received: { from, size },
    });
  }
  copyRows("features", data, data.features, sizeOf(data.featureDims), order, from, size, into.features);
  if (into.targets !== undefined) {
    const rowSize = sizeOf(data.targetDims ?? []);
    copyRows("targets", data, data.targets, rowSize, order, from, size, into.targets);
  }
  if (into.labels !== undefined) {
    const labels = data.labels;
    if (labels === undefined || into.labels.length < size)
      throw noRoom("labels", data, labels, size, into.labels);
    for (let row = 0; row < size; row++) into.labels[row] = labels[order[from + row] as number] as number;
  }
}

function copyRows(
  part: string,
  data: Dataset,
  rows: Float32Array | undefined,
  rowSize: number,
  order: Uint32Array,
  from: number,
  size: number,
  into: Float32Array,
): void {
  if (rows === undefined || into.length < size * rowSize)
    throw noRoom(part, data, rows, size * rowSize, into);
  for (let row = 0; row < size; row++) {
    const start = (order[from + row] as number) * rowSize;
    into.set(rows.subarray(start, start + rowSize), row * rowSize);
  }
}

function noRoom(
  part: string,
  data: Dataset,
  rows: ArrayLike<number> | undefined,
  needed: number,
  into: ArrayLike<number>,
): EspalierError {
  return rows === undefined
    ? new EspalierError("SHAPE_MISMATCH", {
        thing: data.name,
        rule: `must have ${part} to fill a batch of ${part}`,
      })
    : new EspalierError("SHAPE_MISMATCH", {
        thing: `batch buffer for the ${part} of ${data.name}`,
        rule: `needs room for ${needed} values`,
        received: into.length,
      });
}
