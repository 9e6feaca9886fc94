import { sizeOf } from "../../tensor/tensor.ts";

/** A tensor whose rows (slices of its first axis) are made when asked for, in any order; a scalar is one row. */
export interface Rows {
  readonly dims: readonly number[];
  /** `count` rows from row `from` on, one after the other. */
  readonly rows: (from: number, count: number) => Float64Array;
  /** The stored row that a row is, to the bit; -1, or no answer at all, where it is made. */
  readonly storedRow?: (row: number) => number;
}

/** Entries of a row. */
export const rowLength = ({ dims }: Pick<Rows, "dims">) => sizeOf(dims.slice(1));

/** Rows there are. */
export const rowCount = ({ dims }: Pick<Rows, "dims">) => dims[0] ?? 1;

/** Slices of an axis by their numbers in the source, in any order and as often as one likes. */
export function takenRows(source: Rows, axis: number, indices: Int32Array): Rows {
  const dims = source.dims.map((size, at) => (at === axis ? indices.length : size));
  if (axis === 0) {
    const length = rowLength(source);
    return {
      dims,
      rows(from, count) {
        const values = new Float64Array(count * length);
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
  return {
    dims,
    rows(from, count) {
      const before = source.rows(from, count);
      const values = new Float64Array(count * outer * indices.length * inner);
      for (let block = 0, to = 0; block < count * outer; block++) {
        for (const index of indices) {
          const start = (block * size + index) * inner;
          for (let offset = 0; offset < inner; offset++) values[to++] = before[start + offset] as number;
        }
      }
      return values;
    },
  };
}

/** Every entry made anew from the old one. */
export function mappedRows(source: Rows, change: (value: number) => number): Rows {
  return { dims: source.dims, rows: (from, count) => source.rows(from, count).map(change) };
}
