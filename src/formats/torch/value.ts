import type { DType } from "../../tensor/dtype.ts";

/** A tensor of a file that torch wrote: a range of one of the file's storages, in row-major order. */
export class TorchTensor {
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Name of the storage. */
  readonly storage: string;
  /** Elements of the storage before the tensor's first. */
  readonly offset: number;

  constructor(dtype: DType, dims: readonly number[], storage: string, offset = 0) {
    this.dtype = dtype;
    this.dims = dims;
    this.storage = storage;
    this.offset = offset;
  }
}

export class PythonTuple<Item = TorchValue> {
  readonly items: readonly Item[];

  constructor(items: readonly Item[]) {
    this.items = items;
  }
}

export type TorchList = readonly TorchValue[];
export type TorchDict = ReadonlyMap<string | bigint, TorchValue>;

/** What `torch.save` writes for plain state: Python's int is a bigint here, its float a number. */
export type TorchValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | PythonTuple
  | TorchList
  | TorchDict
  | TorchTensor;

/** Names of torch's storage classes, each for one element type. */
export const storageTypes: ReadonlyMap<string, DType> = new Map([
  ["FloatStorage", "float32"],
  ["DoubleStorage", "float64"],
  ["HalfStorage", "float16"],
  ["BFloat16Storage", "bfloat16"],
  ["LongStorage", "int64"],
]);
