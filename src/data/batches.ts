import { EspalierError } from "../tensor/errors.ts";
import { hashName, Random } from "../tensor/random.ts";
import { sizeOf } from "../tensor/tensor.ts";
import type { ColumnData } from "./columns.ts";

const shuffleStream = hashName("shuffle");

/**
 * The order in which epoch `epoch` visits `count` examples: a permutation that depends only on the three
 * arguments, so that a resumed run finds its place from the epoch and the position in it.
 */
export function epochOrder(count: number, seed: number, epoch: number): Uint32Array {
  // Added rather than hashed into the name, so that two epochs of a run can never share a stream.
  return new Random(seed, (shuffleStream + epoch) >>> 0).permutation(count);
}

/** Rows of one kind: features, labels or a column. */
export interface Rows {
  /** Names them in errors. */
  readonly thing: string;
  readonly data: ColumnData;
  /** The shape of one example. */
  readonly dims: readonly number[];
}

/**
 * Copies the examples `order[from]` to `order[from + size - 1]` into `into`, an array of the same kind, one after another
 * along axis `axis` of the batch. Allocates no storage. Throws `ARGUMENT` past the end of `order`, `SHAPE_MISMATCH`
 * if `into` is too short.
 */
export function gatherRows(
  { thing, data, dims }: Rows,
  order: Uint32Array,
  from: number,
  size: number,
  into: ColumnData,
  axis = 0,
): void {
  if (!(from >= 0 && size >= 0 && from + size <= order.length)) {
    throw new EspalierError("ARGUMENT", {
      thing: `batch of ${thing}`,
      rule: `must be within the ${order.length} examples of the order`,
      received: { from, size },
    });
  }
  const rowSize = sizeOf(dims);
  if (into.length < size * rowSize) {
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: `batch buffer for ${thing}`,
      rule: `needs room for ${size * rowSize} values`,
      received: into.length,
    });
  }
  if (rowSize === 1) {
    for (let row = 0; row < size; row++) into[row] = data[order[from + row] as number] as never;
    return;
  }
  // The axes before the batch axis repeat with the stride of a whole batch.
  const inner = axis === 0 ? rowSize : sizeOf(dims.slice(axis));
  for (let row = 0; row < size; row++) {
    const start = (order[from + row] as number) * rowSize;
    for (let at = 0; at < rowSize; at += inner) {
      into.set(data.subarray(start + at, start + at + inner) as never, at * size + row * inner);
    }
  }
}
