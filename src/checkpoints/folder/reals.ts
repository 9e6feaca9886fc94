import { bytesOf, elementsFrom } from "../../formats/raw.ts";
import { allocate, type DType } from "../../tensor/dtype.ts";
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from "../../tensor/float16.ts";

/** How each type of weights stores a number. */
const codecs: {
  readonly [D in DType]?: readonly [read: (stored: number) => number, write: (value: number) => number];
} = {
  float32: [Number, Number],
  float64: [Number, Number],
  float16: [fromFloat16, toFloat16],
  bfloat16: [fromBfloat16, toBfloat16],
};

/** Entries of weights: numbers, or what a file stores for them. */
export type Entries = Float64Array | Float32Array | Uint16Array;

/** How entries are held. What is only moved need not be decoded. */
export interface Holding {
  /** The type that they are stored in; undefined for numbers. */
  readonly dtype: DType | undefined;
  /** Zeros. */
  readonly make: (length: number) => Entries;
  /** What stands for a number. */
  readonly stored: (value: number) => number;
}

/** As numbers, to calculate with. */
export const asNumbers: Holding = {
  dtype: undefined,
  make: (length) => new Float64Array(length),
  stored: (value) => value,
};

/** As a file of that type stores them. */
export function asStored(dtype: DType): Holding {
  const [, stored] = codecs[dtype] as NonNullable<(typeof codecs)["float16"]>;
  return { dtype, make: (length) => allocate(dtype, length) as Entries, stored };
}

/** Bytes of weights as entries. */
export function entriesFrom(bytes: Uint8Array, dtype: DType, count: number, holding: Holding): Entries {
  if (holding.dtype === dtype) return elementsFrom("weights", dtype, [count], bytes) as Entries;
  const numbers = realsFrom(bytes, dtype, count);
  return holding.dtype === undefined ? numbers : encoded(numbers, holding.dtype);
}

/** Bytes of weights as numbers. */
export function realsFrom(bytes: Uint8Array, dtype: DType, count: number): Float64Array {
  const stored = elementsFrom("weights", dtype, [count], bytes) as Float32Array;
  if (dtype === "float64" || dtype === "float32") return Float64Array.from(stored);
  const table = tableOf(dtype);
  const values = new Float64Array(count);
  for (let at = 0; at < count; at++) values[at] = table[stored[at] as number] as number;
  return values;
}

const read = new Map<DType, Float64Array>();

/** What each of the 65,536 patterns of 16 bits stands for. */
function tableOf(dtype: DType): Float64Array {
  let table = read.get(dtype);
  if (table === undefined) {
    const [decode] = codecs[dtype] as NonNullable<(typeof codecs)["float16"]>;
    table = Float64Array.from({ length: 2 ** 16 }, (_, bits) => decode(bits));
    read.set(dtype, table);
  }
  return table;
}

/** Entries as bytes of weights; numbers are each rounded once. */
export function bytesFrom(entries: Entries, dtype: DType, holding: Holding = asNumbers): Uint8Array {
  return bytesOf(holding.dtype === dtype ? entries : encoded(entries as Float64Array, dtype));
}

function encoded(values: Float64Array, dtype: DType): Entries {
  if (dtype === "float64") return values;
  const stored = allocate(dtype, values.length) as Entries;
  if (dtype === "float32") stored.set(values);
  else {
    const write = (codecs[dtype] as NonNullable<(typeof codecs)["float16"]>)[1];
    for (let at = 0; at < values.length; at++) stored[at] = write(values[at] as number);
  }
  return stored;
}
