import { bytesPerElement, type DType } from "../tensor/dtype.ts";
import { EspalierError } from "../tensor/errors.ts";
import { sizeOf } from "../tensor/tensor.ts";
import { type HeaderObject, type HeaderValue, parseHeader } from "./header-json.ts";
import { checkLimit, type Limits } from "./limits.ts";
import { isWellFormed } from "./well-formed.ts";

/** The format's names of the element types; it has none for text. */
const names: { readonly [D in Exclude<DType, "string">]: string } = {
  float32: "F32",
  float64: "F64",
  float16: "F16",
  bfloat16: "BF16",
  int8: "I8",
  int16: "I16",
  int32: "I32",
  int64: "I64",
  uint8: "U8",
  uint16: "U16",
  uint32: "U32",
  uint64: "U64",
  bool: "BOOL",
};

const dtypeOfName = new Map(
  (Object.entries(names) as [DType, string][]).map(([dtype, name]) => [name, dtype]),
);

/** The header's key for the file's own text; no tensor may have this name. */
const metadataKey = "__metadata__";

/** Bytes before the header: its length, as an unsigned 64-bit integer. */
const prefixBytes = 8;

const file = "safetensors file";

/** A tensor as a header describes it. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
}

/** What the header says about one tensor; offsets are in bytes from the end of the header. */
export interface Slot extends TensorEntry {
  readonly thing: string;
  readonly begin: number;
  readonly end: number;
}

/** Everything but the tensors' values. */
export interface SafetensorsHeader {
  readonly slots: readonly Slot[];
  readonly metadata: ReadonlyMap<string, string>;
  /** Where the values begin in the file. */
  readonly dataStart: number;
}

/** Where each tensor goes, and the bytes before the first. */
export interface PlannedFile {
  /** Offsets from the end of the header. */
  readonly begins: ReadonlyMap<string, number>;
  readonly header: Uint8Array;
  readonly dataBytes: number;
}

/**
 * Lays out a file. The header is padded with spaces to a multiple of 8 bytes and wider elements come first, so every
 * tensor is aligned. Throws `ARGUMENT` for a name that cannot be written and `UNSUPPORTED_TYPE` for a tensor of text.
 */
export function planSafetensors(
  tensors: readonly TensorEntry[],
  metadata: ReadonlyMap<string, string> = new Map(),
): PlannedFile {
  const begins = new Map<string, number>();
  let dataBytes = 0;
  for (const { name, dtype, dims } of widestFirst(tensors)) {
    begins.set(name, dataBytes);
    dataBytes += bytesPerElement(dtype) * sizeOf(dims);
  }
  const entries = tensors.map(({ name, dtype, dims }) => {
    if (name === metadataKey) {
      throw new EspalierError("ARGUMENT", { thing: "tensor name", rule: "is reserved", received: name });
    }
    if (dtype === "string") {
      throw new EspalierError("UNSUPPORTED_TYPE", { thing: `tensor "${name}"`, rule: "must not be text" });
    }
    const begin = begins.get(name) as number;
    const end = begin + bytesPerElement(dtype) * sizeOf(dims);
    return `${quote(name)}:${JSON.stringify({ dtype: names[dtype], shape: dims, data_offsets: [begin, end] })}`;
  });
  if (metadata.size > 0) {
    const pairs = [...metadata].map(([key, value]) => `${quote(key)}:${quote(value)}`);
    entries.unshift(`"${metadataKey}":{${pairs.join(",")}}`);
  }
  const text = new TextEncoder().encode(`{${entries.join(",")}}`);
  const header = new Uint8Array(prefixBytes + Math.ceil(text.length / 8) * 8).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - prefixBytes), true);
  header.set(text, prefixBytes);
  return { begins, header, dataBytes };
}

/** Tensors in the order in which their values are written. */
export function widestFirst<T extends Pick<TensorEntry, "dtype">>(tensors: readonly T[]): readonly T[] {
  return [...tensors].sort((a, b) => bytesPerElement(b.dtype) - bytesPerElement(a.dtype));
}

function quote(text: string): string {
  if (isWellFormed(text)) return JSON.stringify(text);
  throw new EspalierError("ARGUMENT", { thing: "name or text", rule: "must be well-formed", received: text });
}

/**
 * Reads the header of a file of `size` bytes with `read`. The data must be covered by the tensors without gap or
 * overlap. Throws `FORMAT`, `TOO_LARGE` and `UNSUPPORTED_TYPE`.
 */
export function readSafetensorsHeader(
  read: (offset: number, length: number) => Uint8Array,
  size: number,
  limits: Limits,
): SafetensorsHeader {
  if (size < prefixBytes) refuse("must begin with the length of its header", `${size} bytes`);
  const start = read(0, Math.min(size, prefixBytes + 1));
  const headerBytes = Number(new DataView(start.buffer, start.byteOffset).getBigUint64(0, true));
  if (start[prefixBytes] !== 0x7b) refuse("its header must begin with a brace", start[prefixBytes]);
  checkLimit(limits, "maxHeaderBytes", file, headerBytes);
  const dataStart = prefixBytes + headerBytes;
  if (dataStart > size) {
    refuse(`must contain the ${headerBytes} bytes of its header`, `${size - prefixBytes} bytes`);
  }
  const header = parseHeader(decodeText(read(prefixBytes, headerBytes)));
  if (!isObject(header)) return refuse("its header must be an object", header);
  checkLimit(limits, "maxItems", file, header.size);
  const metadata = readMetadata(header.get(metadataKey) ?? new Map());
  const slots = [...header]
    .filter(([name]) => name !== metadataKey)
    .map(([name, value]) => readSlot(name, value, limits));
  checkCover(slots, size - dataStart);
  return { slots, metadata, dataStart };
}

function readSlot(name: string, value: HeaderValue, limits: Limits): Slot {
  const thing = `tensor "${name}"`;
  if (!isObject(value)) return refuse("must be described by an object", value, thing);
  const unknown = [...value.keys()].find((key) => !["dtype", "shape", "data_offsets"].includes(key));
  if (unknown !== undefined) refuse("may have dtype, shape and data_offsets", unknown, thing);
  const type = value.get("dtype");
  const dims = value.get("shape");
  const offsets = value.get("data_offsets");
  if (typeof type !== "string") return refuse("dtype must be a string", type, thing);
  const dtype = dtypeOfName.get(type);
  if (dtype === undefined) {
    throw new EspalierError("UNSUPPORTED_TYPE", {
      thing,
      rule: "must have an element type that espalier supports",
      received: type,
      remedy: `Supported: ${[...dtypeOfName.keys()].join(", ")}.`,
    });
  }
  if (!isNumbers(dims)) return refuse("shape must be an array of whole numbers", dims, thing);
  if (!isNumbers(offsets) || offsets.length !== 2) {
    return refuse("data_offsets must be two whole numbers", offsets, thing);
  }
  checkLimit(limits, "maxDims", thing, dims.length);
  checkLimit(limits, "maxElements", thing, sizeOf(dims));
  const [begin, end] = offsets as [number, number];
  return { name, thing, dtype, dims, begin, end };
}

/** Checks that the slots, in order of their offsets, cover 0 to `size` without gap or overlap. */
function checkCover(slots: readonly Slot[], size: number): void {
  let covered = 0;
  for (const { thing, begin, end } of slots.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered || end < begin) {
      refuse(`must begin at offset ${covered}, the end of the tensor before it`, [begin, end], thing);
    }
    covered = end;
  }
  if (covered !== size) refuse(`must contain exactly ${covered} bytes of tensors`, `${size} bytes`);
}

function readMetadata(value: HeaderValue): ReadonlyMap<string, string> {
  if (!isObject(value)) return refuse(`${metadataKey} must be an object`, value);
  for (const [key, item] of value) {
    if (typeof item !== "string") refuse(`${metadataKey} must map text to text`, key);
  }
  return value as ReadonlyMap<string, string>;
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new EspalierError("FORMAT", { thing: file, rule: "its header must be UTF-8", cause });
  }
}

function isObject(value: HeaderValue | undefined): value is HeaderObject {
  return value instanceof Map;
}

function isNumbers(value: HeaderValue | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => typeof item === "number");
}

function refuse(rule: string, received: unknown, thing = file): never {
  const printed = received instanceof Map ? "an object" : received;
  throw new EspalierError("FORMAT", { thing, rule, received: printed });
}
