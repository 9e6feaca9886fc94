import type { Notes } from "../../graph/model.ts";
import { dataTypes } from "../../ops/rules/element-types.ts";
import { bytesPerElement, type DType } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { checkLimit, type Limits } from "../limits.ts";
import type { Field, Reader } from "../protobuf-reader.ts";
import { elementsFrom } from "../raw.ts";
import { externalLocation, otherDataTypes, tensorFields } from "./fields.ts";
import { countListed, isListed, listOf, readListed } from "./listed.ts";
import { fieldsOf, NotesReader, type Reading } from "./reading.ts";

const dtypeOfDataType = new Map<number, DType>(
  (Object.entries(dataTypes) as [DType, number][]).map(([dtype, number]) => [number, dtype]),
);

/** The dtype of a TensorProto.DataType. Throws `UNSUPPORTED_TYPE`, naming the type, if there is none. */
export function dtypeOf(thing: string, dataType: number): DType {
  const dtype = dtypeOfDataType.get(dataType);
  if (dtype !== undefined) return dtype;
  throw new EspalierError("UNSUPPORTED_TYPE", {
    thing,
    rule: "must have an element type that espalier supports",
    received: otherDataTypes[dataType] ?? dataType,
    remedy: `Supported: ${[...dtypeOfDataType.values()].join(", ")}.`,
  });
}

/** The contents of a TensorProto. */
export interface NamedTensor {
  readonly name: string;
  readonly tensor: Tensor;
  readonly notes?: Notes;
}

/**
 * Reads a TensorProto. Raw data becomes a view of the file's bytes if it is aligned and a copy if it is
 * not; element lists are copied. Nothing is allocated before the file is known to contain that many elements.
 * `where` describes a tensor without a name. Throws `UNSUPPORTED_TYPE`, `TOO_LARGE`, and
 * `FORMAT` if the data does not fill the shape or may not be read.
 */
export function readTensor(reader: Reader, reading: Reading, where = "tensor"): NamedTensor {
  const { limits } = reading;
  const second = reader.fork();
  const dims: number[] = [];
  const counts = new Map<number, number>();
  const location = new Map<string, string>();
  const notes = new NotesReader();
  let name = "";
  let dataType = 0;
  let isExternal = false;
  let isCut = false;
  let raw: { readonly bytes: Uint8Array; readonly field: Field } | undefined;
  for (const field of fieldsOf(reader)) {
    if (isListed(field.number)) {
      counts.set(field.number, (counts.get(field.number) ?? 0) + countListed(reader, field));
      continue;
    }
    switch (field.number) {
      case tensorFields.dims:
        reader.ints(field, dims, limits.maxDims);
        break;
      case tensorFields.dataType:
        dataType = reader.int(field);
        break;
      case tensorFields.name:
        name = reading.name(reader, field);
        break;
      case tensorFields.rawData:
        raw = { bytes: reader.bytes(field), field };
        break;
      case tensorFields.dataLocation:
        isExternal = reader.int(field) === externalLocation;
        break;
      case tensorFields.externalData:
        location.set(...reading.entry(reader.message(field)));
        break;
      case tensorFields.segment:
        isCut = true;
        reader.skip(field);
        break;
      case tensorFields.docString:
        notes.doc(reading.text(reader, field));
        break;
      case tensorFields.metadataProps:
        notes.entry(reading.entry(reader.message(field)));
        break;
      default:
        reader.skip(field);
    }
  }
  const thing = name === "" ? where : `tensor "${name}"`;
  const dtype = dtypeOf(thing, dataType);
  if (isCut) throw new EspalierError("FORMAT", { thing, rule: "must not be cut into segments" });
  const size = checkDims(thing, dims, limits);
  const listed = [...counts].filter(([, count]) => count > 0);
  const sources = listed.length + (raw === undefined ? 0 : 1) + (isExternal ? 1 : 0);
  const isTextElsewhere = dtype === "string" && (raw !== undefined || isExternal);
  if (sources > 1 || isTextElsewhere || listed.some(([field]) => field !== listOf[dtype].field)) {
    throw new EspalierError("FORMAT", {
      thing,
      rule: `must contain its ${dtype} elements once, raw or listed`,
    });
  }
  const found = (tensor: Tensor): NamedTensor => ({ name, tensor, ...notes.finish() });
  if (isExternal) {
    const bytes = externalBytes(thing, reading, location, size * bytesPerElement(dtype));
    return found({ dtype, dims, data: elementsFrom(thing, dtype, dims, bytes) });
  }
  if (raw !== undefined) {
    return found({
      dtype,
      dims,
      data: elementsFrom(thing, dtype, dims, raw.bytes, roomBefore(raw, reading)),
    });
  }
  const count = counts.get(listOf[dtype].field) ?? 0;
  if (count !== size) {
    const rule = `[${dims.join(", ")}] needs ${size} elements`;
    throw new EspalierError("FORMAT", { thing, rule, received: count });
  }
  return found({ dtype, dims, ...readListed(second, dtype, size, reading, thing) });
}

/** Bytes before the raw data that may be overwritten: its tag and length, which are no longer needed once it is read. */
function roomBefore({ bytes, field }: { bytes: Uint8Array; field: Field }, { movable }: Reading): number {
  return movable === undefined ? 0 : bytes.byteOffset - (movable.byteOffset + field.at);
}

function externalBytes(
  thing: string,
  { external }: Reading,
  location: ReadonlyMap<string, string>,
  needed: number,
): Uint8Array {
  if (external !== undefined) return external.bytes(thing, location, needed);
  throw new EspalierError("FORMAT", {
    thing,
    rule: "its data must be in the file itself, not in another one",
    received: location.get("location") ?? "",
    remedy: "Allow externalData if you trust the file, or save the model as one file.",
  });
}

/**
 * The number of elements. Throws `FORMAT` for an impossible size, `TOO_LARGE` over the limits, which apply to the other
 * sizes even if one is zero.
 */
export function checkDims(thing: string, dims: readonly number[], limits: Limits): number {
  checkLimit(limits, "maxDims", thing, dims.length);
  let size = 1;
  for (const dim of dims) {
    if (!Number.isSafeInteger(dim) || dim < 0) {
      throw new EspalierError("FORMAT", { thing, rule: "sizes must be in [0, 2^53)", received: dims });
    }
    if (dim > 0) size *= dim;
  }
  checkLimit(limits, "maxElements", thing, size);
  return dims.includes(0) ? 0 : size;
}
