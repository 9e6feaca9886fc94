import { bytesOf, elementsFrom } from "../../formats/raw.ts";
import { allocate, type DType } from "../../tensor/dtype.ts";
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from "../../tensor/float16.ts";

/** How each type of weights holds a number. */
const codecs: {
  readonly [D in DType]?: readonly [read: (stored: number) => number, write: (value: number) => number];
} = {
  float32: [Number, Number],
  float64: [Number, Number],
  float16: [fromFloat16, toFloat16],
  bfloat16: [fromBfloat16, toBfloat16],
};

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

/** Numbers as bytes of weights, each rounded once. */
export function bytesFrom(values: Float64Array, dtype: DType): Uint8Array {
  const stored = allocate(dtype, values.length) as Float32Array;
  if (dtype === "float64" || dtype === "float32") stored.set(values);
  else {
    const write = (codecs[dtype] as NonNullable<(typeof codecs)["float16"]>)[1];
    for (let at = 0; at < values.length; at++) stored[at] = write(values[at] as number);
  }
  return bytesOf(stored);
}
