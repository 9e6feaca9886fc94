import { allocate, type DataOf, type DType } from "./dtype.ts";
import { EspalierError } from "./errors.ts";

/** A dense, row-major, n-dimensional array. Plain data: never mutated once handed over. */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly dims: readonly number[];
  readonly data: DataOf[D];
  /** The texts that the elements of a `string` tensor index, in order of first use; absent for other dtypes. */
  readonly strings?: readonly string[];
}

/** Number of elements of a shape; 1 for a scalar. */
export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((size, dim) => size * dim, 1);
}

/** A tensor of `dims`, after checking that `data` fills them. Throws `SHAPE_MISMATCH`. */
export function makeTensor<D extends DType>(dtype: D, dims: readonly number[], data: DataOf[D]): Tensor<D> {
  if (data.length !== sizeOf(dims)) {
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: `${dtype} tensor [${dims.join(", ")}]`,
      rule: `needs ${sizeOf(dims)} elements`,
      received: data.length,
    });
  }
  return { dtype, dims, data };
}

export function float32(dims: readonly number[], data: ArrayLike<number>): Tensor<"float32"> {
  return makeTensor("float32", dims, data instanceof Float32Array ? data : Float32Array.from(data));
}

export function int64(dims: readonly number[], data: readonly (number | bigint)[]): Tensor<"int64"> {
  return makeTensor("int64", dims, BigInt64Array.from(data, BigInt));
}

export function int32(dims: readonly number[], data: ArrayLike<number>): Tensor<"int32"> {
  return makeTensor("int32", dims, data instanceof Int32Array ? data : Int32Array.from(data));
}

/** A tensor of texts. */
export function textTensor(dims: readonly number[], texts: readonly string[]): Tensor<"string"> {
  const numbers = new Map<string, number>();
  const numbered = (text: string) => {
    const number = numbers.get(text) ?? numbers.size;
    numbers.set(text, number);
    return number;
  };
  const data = Uint32Array.from(texts, numbered);
  return { ...makeTensor("string", dims, data), strings: [...numbers.keys()] };
}

/** The elements of a tensor of texts. */
export function textsOf({ data, strings = [] }: Tensor): string[] {
  return Array.from(data as Uint32Array, (number) => strings[number] ?? "");
}

export function zeros<D extends DType>(dtype: D, dims: readonly number[]): Tensor<D> {
  return { dtype, dims, data: allocate(dtype, sizeOf(dims)) };
}

export function full(dims: readonly number[], value: number): Tensor<"float32"> {
  return { dtype: "float32", dims, data: new Float32Array(sizeOf(dims)).fill(value) };
}

/** The elements as JavaScript numbers; for small tensors such as shapes. */
export function toNumbers(tensor: Tensor): number[] {
  return Array.from(tensor.data as ArrayLike<number | bigint>, Number);
}
