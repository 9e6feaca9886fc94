import { EspalierError } from "../tensor/errors.ts";
import { wire } from "./protobuf-writer.ts";

/** One field as encoded on the wire. `at` is the offset of its tag in the file. */
export interface Field {
  readonly number: number;
  readonly type: number;
  readonly at: number;
}

/** Wire types whose repeated fields may be packed. */
export type Scalar = typeof wire.varint | typeof wire.fixed32 | typeof wire.fixed64;

const textDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads one protobuf message, field by field, from `bytes`. It trusts no length: every value is checked
 * against the bytes that are there before it is used. Throws `FORMAT` with the offset in the file if a value is
 * truncated, not of the expected kind, or impossible.
 */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  #at: number;

  /** The bytes from `start` to `end`; offsets in errors count from the start of `bytes`. `view` is a view of `bytes`. */
  constructor(
    bytes: Uint8Array,
    start = 0,
    end = bytes.length,
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  ) {
    this.#bytes = bytes;
    this.#view = view;
    this.#at = start;
    this.#end = end;
  }

  /** The next field, or undefined at the end. Its value must be read or skipped before the next call. */
  next(): Field | undefined {
    if (this.#at >= this.#end) return undefined;
    const at = this.#at;
    const tag = this.#varint();
    const number = Math.floor(tag / 8);
    const type = tag % 8;
    if (number < 1 || number > 0x1fffffff) this.fail("a field number must be in [1, 2^29)", number, at);
    return { number, type, at };
  }

  skip(field: Field): void {
    switch (field.type) {
      case wire.varint:
        this.#int64();
        break;
      case wire.fixed64:
        this.#take(8);
        break;
      case wire.bytes:
        this.#take(this.#varint());
        break;
      case wire.fixed32:
        this.#take(4);
        break;
      default:
        this.fail("a field must be of wire type 0, 1, 2 or 5", field.type, field.at);
    }
  }

  /** A signed integer as a number, exact within ±2^53; the outermost 512 values of int64 become ±2^63. */
  int(field: Field): number {
    this.expect(field, wire.varint);
    return this.#integer();
  }

  float(field: Field): number {
    this.expect(field, wire.fixed32);
    return this.#view.getFloat32(this.#take(4), true);
  }

  text(field: Field): string {
    return textOf(this.bytes(field), field.at);
  }

  /** A view of a field's bytes. */
  bytes(field: Field): Uint8Array {
    this.expect(field, wire.bytes);
    const length = this.#varint();
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** A reader of a nested message. */
  message(field: Field): Reader {
    this.expect(field, wire.bytes);
    const length = this.#varint();
    const start = this.#take(length);
    return new Reader(this.#bytes, start, start + length, this.#view);
  }

  /** Appends the integers of a repeated field, packed or not; stops once `into` has more than `max`. */
  ints(field: Field, into: number[], max: number): void {
    if (field.type !== wire.bytes) {
      into.push(this.int(field));
      return;
    }
    const packed = this.message(field);
    while (packed.#at < packed.#end && into.length <= max) into.push(packed.#integer());
  }

  /** Appends the floats of a repeated field, packed or not; stops once `into` has more than `max`. */
  floats(field: Field, into: number[], max: number): void {
    if (field.type !== wire.bytes) {
      into.push(this.float(field));
      return;
    }
    const packed = this.message(field);
    while (packed.#at < packed.#end && into.length <= max) {
      into.push(this.#view.getFloat32(packed.#take(4), true));
    }
  }

  /** Skips a repeated field, packed or not, and returns its number of elements of wire type `type`. */
  count(field: Field, type: Scalar): number {
    if (field.type !== wire.bytes) {
      this.expect(field, type);
      this.skip(field);
      return 1;
    }
    const packed = this.bytes(field);
    if (type === wire.varint) {
      let last = 0;
      for (let index = 0; index < packed.length; index++) last += (packed[index] as number) < 0x80 ? 1 : 0;
      return last;
    }
    const width = type === wire.fixed32 ? 4 : 8;
    if (packed.length % width !== 0) {
      this.fail(`packed values take ${width} bytes each`, packed.length, field.at);
    }
    return packed.length / width;
  }

  /** Calls `put` with every element of a repeated field, packed or not: the 64 bits of a varint. */
  eachVarint(field: Field, put: (bits: bigint) => void): void {
    if (field.type !== wire.bytes) {
      put(this.#int64());
      return;
    }
    const packed = this.message(field);
    while (packed.#at < packed.#end) put(packed.#int64());
  }

  /** The bytes of the elements of a repeated field of fixed width, packed or not: little-endian. */
  fixed(field: Field, type: typeof wire.fixed32 | typeof wire.fixed64): Uint8Array {
    if (field.type === wire.bytes) return this.bytes(field);
    this.expect(field, type);
    const start = this.#take(type === wire.fixed32 ? 4 : 8);
    return this.#bytes.subarray(start, this.#at);
  }

  /** A second reader of what this one has yet to read. */
  fork(): Reader {
    return new Reader(this.#bytes, this.#at, this.#end, this.#view);
  }

  expect(field: Field, type: number): void {
    if (field.type !== type) {
      this.fail(`field ${field.number} must be of wire type ${type}`, field.type, field.at);
    }
  }

  fail(rule: string, received: unknown, at = this.#at): never {
    throw new EspalierError("FORMAT", {
      thing: `offset ${at}`,
      rule,
      received,
      remedy: "The file is damaged or is not an ONNX model.",
    });
  }

  /** Skips `length` bytes and returns their start. */
  #take(length: number): number {
    const start = this.#at;
    if (length > this.#end - start) {
      this.fail(`${length} bytes must follow`, this.#end - start, start);
    }
    this.#at = start + length;
    return start;
  }

  #byte(): number {
    if (this.#at >= this.#end) this.fail("an integer must not be cut off", "the end of the data");
    return this.#bytes[this.#at++] as number;
  }

  /** An unsigned integer below 2^53: a tag or a length. */
  #varint(): number {
    const start = this.#at;
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 0x80) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
    }
    return this.fail("a tag or length must fit 53 bits", "more", start);
  }

  #integer(): number {
    // Nearly all integers of a model take one byte; only longer ones go through bigint.
    const first = this.#bytes[this.#at] as number;
    if (this.#at < this.#end && first < 0x80) {
      this.#at++;
      return first;
    }
    return Number(BigInt.asIntN(64, this.#int64()));
  }

  #int64(): bigint {
    const start = this.#at;
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (value >= 2n ** 64n) break;
        return value;
      }
    }
    return this.fail("an integer must fit 64 bits", "more", start);
  }
}

/** Decodes UTF-8. Throws `FORMAT`, naming the offset `at`, for bytes that are not valid. */
export function textOf(bytes: Uint8Array, at: number): string {
  try {
    return textDecoder.decode(bytes);
  } catch (cause) {
    throw new EspalierError("FORMAT", { thing: `offset ${at}`, rule: "text must be UTF-8", cause });
  }
}
