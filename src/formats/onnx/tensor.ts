import { allocate, type DataOf, type DType } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { checkLimit, type Limits } from "../limits.ts";
import type { Field, Reader, Scalar } from "../protobuf-reader.ts";
import { wire } from "../protobuf-writer.ts";
import { elementsFrom } from "../raw.ts";
import { dataTypes, otherDataTypes, tensorFields } from "./fields.ts";

const dtypeOfDataType = new Map<number, DType>(
  (Object.entries(dataTypes) as [DType, number][]).map(([dtype, number]) => [number, dtype]),
);

/** Where ONNX puts the elements of each dtype when they are not raw: the field and the wire type of one. */
const listOf: { readonly [D in DType]: readonly [field: number, type: Scalar] } = {
  float32: [tensorFields.floatData, wire.fixed32],
  float64: [tensorFields.doubleData, wire.fixed64],
  float16: [tensorFields.int32Data, wire.varint],
  int8: [tensorFields.int32Data, wire.varint],
  int16: [tensorFields.int32Data, wire.varint],
  int32: [tensorFields.int32Data, wire.varint],
  int64: [tensorFields.int64Data, wire.varint],
  uint8: [tensorFields.int32Data, wire.varint],
  uint16: [tensorFields.int32Data, wire.varint],
  uint32: [tensorFields.uint64Data, wire.varint],
  uint64: [tensorFields.uint64Data, wire.varint],
  bool: [tensorFields.int32Data, wire.varint],
};

const listWires = new Map<number, Scalar>(Object.values(listOf));

/** The dtype of a TensorProto.DataType. Throws `UNSUPPORTED_TYPE`, naming the type, where there is none. */
export function dtypeOf(thing: string, dataType: number): DType {
  const dtype = dtypeOfDataType.get(dataType);
  if (dtype !== undefined) return dtype;
  throw new EspalierError("UNSUPPORTED_TYPE", {
    thing,
    rule: "needs an element type that espalier holds",
    received: otherDataTypes[dataType] ?? dataType,
    remedy: `Supported: ${[...dtypeOfDataType.values()].join(", ")}.`,
  });
}

/**
 * Reads a TensorProto. Raw data becomes a view of the file's bytes where it is aligned and a copy where it is
 * not; element lists are copied. Nothing is allocated before the file is seen to hold that many elements.
 * `where` stands in for the name of a tensor without one. Throws `UNSUPPORTED_TYPE`, `TOO_LARGE`, and
 * `FORMAT` where the data does not fill the shape or lies in another file.
 */
export function readTensor(
  reader: Reader,
  limits: Limits,
  where = "tensor",
): { name: string; tensor: Tensor } {
  const second = reader.fork();
  const dims: number[] = [];
  const counts = new Map<number, number>();
  let name = "";
  let dataType = 0;
  let raw: Uint8Array | undefined;
  let refused: string | undefined;
  for (let field = reader.next(); field !== undefined; field = reader.next()) {
    const listWire = listWires.get(field.number);
    if (listWire !== undefined) {
      counts.set(field.number, (counts.get(field.number) ?? 0) + reader.count(field, listWire));
    } else if (field.number === tensorFields.dims) reader.ints(field, dims, limits.maxDims);
    else if (field.number === tensorFields.dataType) dataType = reader.int(field);
    else if (field.number === tensorFields.name) name = reader.text(field);
    else if (field.number === tensorFields.rawData) raw = reader.bytes(field);
    else if (field.number === tensorFields.dataLocation) {
      if (reader.int(field) !== 0) refused = "its data must lie in the file itself, not in another one";
    } else {
      if (field.number === tensorFields.externalData) {
        refused = "its data must lie in the file itself, not in another one";
      } else if (field.number === tensorFields.segment) refused = "must not be cut into segments";
      reader.skip(field);
    }
  }
  const thing = name === "" ? where : `tensor "${name}"`;
  const dtype = dtypeOf(thing, dataType);
  if (refused !== undefined) {
    const remedy = "Save the model as one file without external data.";
    throw new EspalierError("FORMAT", { thing, rule: refused, remedy });
  }
  const size = checkDims(thing, dims, limits);
  const [list, type] = listOf[dtype];
  const lists = [...counts].filter(([, count]) => count > 0);
  if (lists.some(([field]) => raw !== undefined || field !== list)) {
    throw new EspalierError("FORMAT", { thing, rule: `must hold its ${dtype} elements once, raw or listed` });
  }
  if (raw !== undefined)
    return { name, tensor: { dtype, dims, data: elementsFrom(thing, dtype, dims, raw) } };
  if ((counts.get(list) ?? 0) !== size) {
    throw new EspalierError("FORMAT", {
      thing,
      rule: `[${dims.join(", ")}] needs ${size} elements`,
      received: counts.get(list) ?? 0,
    });
  }
  const data = allocate(dtype, size);
  fill(second, list, type, dtype, data, thing);
  return { name, tensor: { dtype, dims, data } };
}

/** The number of elements. Throws `FORMAT` on a size that cannot be, `TOO_LARGE` over the limits. */
export function checkDims(thing: string, dims: readonly number[], limits: Limits): number {
  checkLimit(limits, "maxDims", thing, dims.length);
  let size = 1;
  for (const dim of dims) {
    if (!Number.isSafeInteger(dim) || dim < 0) {
      throw new EspalierError("FORMAT", { thing, rule: "sizes must lie in [0, 2^53)", received: dims });
    }
    size *= dim;
  }
  checkLimit(limits, "maxElements", thing, size);
  return size;
}

/** Second pass: the elements of field `list`, in file order, into `data`. */
function fill(
  reader: Reader,
  list: number,
  type: Scalar,
  dtype: DType,
  data: DataOf[DType],
  thing: string,
): void {
  let index = 0;
  const putNumber = (value: number) => {
    (data as Float32Array)[index++] = value;
  };
  const putBits = integerSetter(dtype, data, thing);
  for (let field: Field | undefined = reader.next(); field !== undefined; field = reader.next()) {
    if (field.number !== list) reader.skip(field);
    else if (type === wire.varint) reader.eachVarint(field, (bits) => putBits(index++, bits));
    else reader.eachFloat(field, type, putNumber);
  }
}

/** Stores the bits of a varint as one element. Throws `FORMAT` where the element type cannot hold it. */
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
