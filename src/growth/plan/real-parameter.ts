import type { DType } from "../../tensor/dtype.ts";
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from "../../tensor/float16.ts";
import { makeTensor, type Tensor } from "../../tensor/tensor.ts";

/** Element types that new weights can have. */
const codecs: {
  readonly [D in DType]?: {
    readonly read: (stored: number) => number;
    readonly write: (value: number) => number;
  };
} = {
  float32: { read: Number, write: Number },
  float64: { read: Number, write: Number },
  float16: { read: fromFloat16, write: toFloat16 },
  bfloat16: { read: fromBfloat16, write: toBfloat16 },
};

/** Whether weights of this type can grow. */
export function isReal(dtype: DType): boolean {
  return codecs[dtype] !== undefined;
}

/** Real numbers that JavaScript can compute with without conversion. */
export type Reals = Tensor<"float32"> | Tensor<"float64">;

/**
 * Lets `change` work on the values: in float64 if that is their type, else in float32. Entries that it leaves alone keep
 * their original bits.
 */
export function changeReal(tensor: Tensor, change: (values: Reals) => void): Tensor {
  const codec = codecs[tensor.dtype];
  if (codec === undefined) throw new TypeError(`${tensor.dtype} cannot represent weights`);
  if (tensor.dtype === "float32" || tensor.dtype === "float64") {
    change(tensor as Reals);
    return tensor;
  }
  const stored = tensor.data as Uint16Array;
  const before = Float32Array.from(stored, codec.read);
  const after = before.slice();
  change(makeTensor("float32", tensor.dims, after));
  const data = stored.slice();
  after.forEach((value, index) => {
    if (!Object.is(value, before[index])) data[index] = codec.write(value);
  });
  return { ...tensor, data };
}

/** The values of a tensor of weights as numbers: its own array if possible. */
export function realValues(tensor: Tensor): ArrayLike<number> {
  const codec = codecs[tensor.dtype];
  if (codec === undefined) throw new TypeError(`${tensor.dtype} cannot represent weights`);
  const stored = tensor.data as Float32Array;
  return tensor.dtype === "float32" || tensor.dtype === "float64"
    ? stored
    : Float64Array.from(stored, codec.read);
}

/** Writes a number into the array of a tensor of weights, rounded once to its type. */
export function writeReal(tensor: Tensor, index: number, value: number): void {
  (tensor.data as Float32Array)[index] = codecs[tensor.dtype]?.write(value) as number;
}
