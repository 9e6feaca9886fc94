import { sizeOf } from "../../tensor/tensor.ts";
import type { Entries, Holding } from "../folder/reals.ts";

/** A tensor whose rows (slices of its first axis) are made on request, in any order; a scalar is one row. */
export interface Rows {
  readonly dims: readonly number[];
  /** How its entries are held. */
  readonly holding: Holding;
  /** `count` rows from row `from` on, one after the other. */
  readonly rows: (from: number, count: number) => Entries;
  /** The stored row that a row is, to the bit; -1, or no answer at all, if it is computed. */
  readonly storedRow?: (row: number) => number;
}

/** Entries of a row. */
export const rowLength = ({ dims }: Pick<Rows, "dims">) => sizeOf(dims.slice(1));

/** Number of rows. */
export const rowCount = ({ dims }: Pick<Rows, "dims">) => dims[0] ?? 1;

/** A stretch of an axis that is copied from the source, position by position. */
export interface Stretch {
  readonly to: number;
  readonly from: number;
  readonly length: number;
}

/** The stretches of an axis of `size` positions, by where each comes from; -1 for those that are not copied. */
export function stretchesOf(size: number, originOf: (position: number) => number): readonly Stretch[] {
  const stretches: Stretch[] = [];
  for (let to = 0; to < size; ) {
    const from = originOf(to);
    let length = 1;
    if (from >= 0) while (to + length < size && originOf(to + length) === from + length) length++;
    if (from >= 0) stretches.push({ to, from, length });
    to += length;
  }
  return stretches;
}

/** Copies stretches of an axis for each of `blocks` blocks, which have `sizes` positions of `inner` entries. */
export function copyStretches(
  source: Entries,
  into: Entries,
  stretches: readonly Stretch[],
  {
    blocks,
    inner,
    sizes,
  }: { readonly blocks: number; readonly inner: number; readonly sizes: readonly [number, number] },
): void {
  const [before, after] = sizes;
  for (let block = 0; block < blocks; block++) {
    for (const { to, from, length } of stretches) {
      const start = (block * before + from) * inner;
      const target = (block * after + to) * inner;
      const count = length * inner;
      // A view costs as much as copying some dozen entries.
      if (count > 32) into.set(source.subarray(start, start + count), target);
      else for (let at = 0; at < count; at++) into[target + at] = source[start + at] as number;
    }
  }
}

/** Slices of an axis by their numbers in the source, in any order and as often as one likes. */
export function takenRows(source: Rows, axis: number, indices: Int32Array): Rows {
  const { holding } = source;
  const dims = source.dims.map((size, at) => (at === axis ? indices.length : size));
  if (axis === 0) {
    const length = rowLength(source);
    return {
      dims,
      holding,
      rows(from, count) {
        const values = holding.make(count * length);
        for (let at = 0; at < count; ) {
          const first = indices[from + at] as number;
          let run = 1;
          while (at + run < count && indices[from + at + run] === first + run) run++;
          values.set(source.rows(first, run), at * length);
          at += run;
        }
        return values;
      },
    };
  }
  const size = source.dims[axis] as number;
  const inner = sizeOf(source.dims.slice(axis + 1));
  const outer = sizeOf(source.dims.slice(1, axis));
  const stretches = stretchesOf(indices.length, (position) => indices[position] as number);
  return {
    dims,
    holding,
    rows(from, count) {
      const values = holding.make(count * outer * indices.length * inner);
      const sizes = [size, indices.length] as const;
      copyStretches(source.rows(from, count), values, stretches, { blocks: count * outer, inner, sizes });
      return values;
    },
  };
}

/** Every entry made anew from the old one, which must be held as a number, and its place in the row. */
export function mappedRows(source: Rows, change: (value: number, place: number) => number): Rows {
  const { dims, holding } = source;
  const length = rowLength(source);
  return {
    dims,
    holding,
    rows: (from, count) =>
      (source.rows(from, count) as Float64Array).map((value, at) => change(value, at % length)),
  };
}

/** Every entry the same. */
export function constantRows({ dims, holding }: Rows, value: number): Rows {
  const length = rowLength({ dims });
  return { dims, holding, rows: (_, count) => holding.make(count * length).fill(holding.stored(value)) };
}
