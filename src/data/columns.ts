import { EspalierError } from "../tensor/errors.ts";
import { sizeOf } from "../tensor/tensor.ts";

/** Values that a model takes as float32, int32, int64 or, for uint8, booleans. */
export type ColumnData = Float32Array | Int32Array | BigInt64Array | Uint8Array;

/** The values of one input of a model, example after example. */
export interface Column {
  /** [count, ...dims] */
  readonly data: ColumnData;
  /** The shape of one example, such as [7] for seven token ids; [] for a single number. */
  readonly dims: readonly number[];
}

/** A column as the caller gives it. */
export interface ColumnParts {
  readonly data: ColumnData;
  /** Default: [] for one value per example, otherwise one axis. */
  readonly dims?: readonly number[];
}

/** Columns by model input. Throws `SHAPE_MISMATCH` if sizes disagree, `ARGUMENT` for values that are not finite. */
export function checkColumns(
  name: string,
  count: number,
  given: Readonly<Record<string, ColumnParts>>,
): Readonly<Record<string, Column>> {
  return Object.fromEntries(
    Object.entries(given).map(([input, { data, dims }]) => {
      const thing = `column "${input}" of ${name}`;
      const made = { data, dims: [...(dims ?? (data.length === count ? [] : [data.length / count]))] };
      checkRows(thing, data.length, count, made.dims);
      if (data instanceof Float32Array) checkFinite(thing, data, data, sizeOf(made.dims));
      return [input, made];
    }),
  );
}

/** The examples of every column at `indices`, in that order, copied. */
export function pickColumns(
  columns: Readonly<Record<string, Column>>,
  indices: ArrayLike<number>,
): Readonly<Record<string, Column>> {
  return Object.fromEntries(
    Object.entries(columns).map(([input, { data, dims }]) => [
      input,
      { data: pickRows(data, sizeOf(dims), indices), dims },
    ]),
  );
}

/** Rows of `size` values at `indices`, in that order, copied. */
export function pickRows<D extends ColumnData>(rows: D, size: number, indices: ArrayLike<number>): D {
  const picked = new (rows.constructor as new (length: number) => D)(indices.length * size);
  for (let at = 0; at < indices.length; at++) {
    const from = (indices[at] as number) * size;
    picked.set(rows.subarray(from, from + size) as never, at * size);
  }
  return picked;
}

/** Throws `SHAPE_MISMATCH` unless `length` values are `count` examples of shape `dims`. */
export function checkRows(thing: string, length: number, count: number, dims: readonly number[]): void {
  if (dims.every((dim) => Number.isInteger(dim) && dim > 0) && length === count * sizeOf(dims)) return;
  throw new EspalierError("SHAPE_MISMATCH", {
    thing,
    rule: `needs ${count} examples × [${dims.join(", ")}] values, every dimension a positive integer`,
    received: length,
    remedy: "Check the shape of one example, and that the last row is whole.",
  });
}

/** Throws `ARGUMENT` for the first of `floats` that is not finite; `given` are the values as the caller gave them. */
export function checkFinite(
  thing: string,
  floats: Float32Array,
  given: ArrayLike<unknown>,
  rowSize: number,
): void {
  for (let at = 0; at < floats.length; at++) {
    if (Number.isFinite(floats[at])) continue;
    throw new EspalierError("ARGUMENT", {
      thing: `${thing}, example ${Math.floor(at / rowSize)}, value ${at % rowSize}`,
      rule: "must be finite in float32",
      received: String(given[at]),
      remedy:
        typeof given[at] === "object"
          ? "Pass one flat array (rows.flat()), and featureDims for the shape of a row."
          : "Drop or fill missing values first.",
    });
  }
}
