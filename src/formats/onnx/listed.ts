import { allocate, type DataOf, type DType } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Field, Reader, Scalar } from "../protobuf-reader.ts";
import { wire } from "../protobuf-writer.ts";
import { bytesOf } from "../raw.ts";
import { tensorFields } from "./fields.ts";
import { fieldsOf, type Reading } from "./reading.ts";

/** A field of TensorProto that lists elements, and the wire type of one. */
interface List {
  readonly field: number;
  readonly type: Scalar | typeof wire.bytes;
}

const int32s: List = { field: tensorFields.int32Data, type: wire.varint };
const uint64s: List = { field: tensorFields.uint64Data, type: wire.varint };

/** Where ONNX puts the elements of each dtype when they are not raw. */
export const listOf: { readonly [D in DType]: List } = {
  float32: { field: tensorFields.floatData, type: wire.fixed32 },
  float64: { field: tensorFields.doubleData, type: wire.fixed64 },
  float16: int32s,
  bfloat16: int32s,
  int8: int32s,
  int16: int32s,
  int32: int32s,
  int64: { field: tensorFields.int64Data, type: wire.varint },
  uint8: int32s,
  uint16: int32s,
  uint32: uint64s,
  uint64: uint64s,
  bool: int32s,
  string: { field: tensorFields.stringData, type: wire.bytes },
};

const types = new Map(Object.values(listOf).map(({ field, type }) => [field, type]));

export function isListed(field: number): boolean {
  return types.has(field);
}

/** Skips a list (or a part of it) and returns its number of elements. */
export function countListed(reader: Reader, field: Field): number {
  const type = types.get(field.number) as List["type"];
  if (type !== wire.bytes) return reader.count(field, type);
  reader.bytes(field);
  return 1;
}

/** The elements that `reader` lists, in file order: `size` of them, as counted before. */
export function readListed(
  reader: Reader,
  dtype: DType,
  size: number,
  reading: Reading,
  thing: string,
): Pick<Tensor, "data" | "strings"> {
  if (dtype === "string") return readStrings(reader, size, reading);
  const { field: list, type } = listOf[dtype];
  const data = allocate(dtype, size);
  const target = bytesOf(data);
  const putBits = integerSetter(dtype, data, thing);
  let index = 0;
  let offset = 0;
  for (const field of fieldsOf(reader)) {
    if (field.number !== list) reader.skip(field);
    else if (type === wire.fixed32 || type === wire.fixed64) {
      const bytes = reader.fixed(field, type);
      target.set(bytes, offset);
      offset += bytes.length;
    } else reader.eachVarint(field, (bits) => putBits(index++, bits));
  }
  return { data };
}

function readStrings(reader: Reader, size: number, reading: Reading): Pick<Tensor, "data" | "strings"> {
  const data = allocate("string", size);
  const indices = new Map<string, number>();
  let at = 0;
  for (const field of fieldsOf(reader)) {
    if (field.number !== tensorFields.stringData) {
      reader.skip(field);
      continue;
    }
    const text = reading.text(reader, field);
    const index = indices.get(text) ?? indices.size;
    indices.set(text, index);
    data[at++] = index;
  }
  return { data, strings: [...indices.keys()] };
}

/** Stores the bits of a varint as one element. Throws `FORMAT` if it is out of the element type's range. */
function integerSetter(dtype: DType, data: DataOf[DType], thing: string): (at: number, bits: bigint) => void {
  const refuse = (value: bigint): never => {
    throw new EspalierError("FORMAT", { thing, rule: `elements must fit ${dtype}`, received: value });
  };
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return (at, bits) => {
      data[at] = bits;
    };
  }
  return (at, bits) => {
    const value = BigInt.asIntN(64, bits);
    data[at] = Number(value);
    if (dtype === "bool" ? value !== 0n && value !== 1n : BigInt(data[at] as number) !== value) refuse(value);
  };
}
