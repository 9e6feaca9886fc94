import { EspalierError } from "../tensor/errors.ts";
import { isWellFormed } from "./well-formed.ts";

/** How a protobuf field is laid out on the wire: the low three bits of its tag. */
export const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Payloads of at least this many bytes are kept by reference until they leave the writer. */
const spliceBytes = 1024;

const textEncoder = new TextEncoder();

/**
 * Writes protobuf messages. Small fields go into one growing buffer; large payloads (tensors) are only
 * referred to, so each is copied at most once, into the result.
 */
export class Writer {
  #buffer = new Uint8Array(1024);
  #view = new DataView(this.#buffer.buffer);
  #used = 0;
  /** Large payloads, each to be inserted before byte `at` of the buffer. */
  readonly #splices: { at: number; bytes: Uint8Array }[] = [];
  #spliced = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#used + this.#spliced;
  }

  /** A signed 64-bit integer. `value` is an integer; beyond ±2^63 it is clamped to the nearest int64. */
  int(field: number, value: number): void {
    this.#tag(field, wire.varint);
    this.#int64(value);
  }

  float(field: number, value: number): void {
    this.#tag(field, wire.fixed32);
    this.#ensure(4);
    this.#view.setFloat32(this.#used, value, true);
    this.#used += 4;
  }

  /** Throws `INVALID_MODEL` for text that has no UTF-8 form. */
  text(field: number, value: string): void {
    if (!isWellFormed(value)) {
      throw new EspalierError("INVALID_MODEL", {
        thing: "name or text",
        rule: "must be well-formed",
        received: value,
      });
    }
    this.bytes(field, textEncoder.encode(value));
  }

  /** `value` must not change before the writer is done. */
  bytes(field: number, value: Uint8Array): void {
    this.#tag(field, wire.bytes);
    this.#varint(value.length);
    if (value.length >= spliceBytes) {
      this.#splices.push({ at: this.#used, bytes: value });
      this.#spliced += value.length;
    } else {
      this.#ensure(value.length);
      this.#buffer.set(value, this.#used);
      this.#used += value.length;
    }
  }

  /** A nested message, written by `write` into this same writer. */
  message(field: number, write: () => void): void {
    this.#tag(field, wire.bytes);
    const start = this.#used;
    const before = this.length;
    const firstSplice = this.#splices.length;
    write();
    // The length comes before the content but is known only now: make room for it.
    const length = this.length - before;
    const room = varintSize(length);
    // As much as #varint needs: it must not replace the buffer while #used is set back to `start`.
    this.#ensure(10);
    this.#buffer.copyWithin(start + room, start, this.#used);
    const end = this.#used + room;
    this.#used = start;
    this.#varint(length);
    this.#used = end;
    for (let index = firstSplice; index < this.#splices.length; index++) {
      (this.#splices[index] as { at: number }).at += room;
    }
  }

  /** Everything written, in one array. */
  finish(): Uint8Array {
    const result = new Uint8Array(this.length);
    let to = 0;
    for (const chunk of this.chunks()) {
      result.set(chunk, to);
      to += chunk.length;
    }
    return result;
  }

  /** Everything written, in pieces, in order and without copying. Nothing may be written until the last one is taken. */
  *chunks(): Generator<Uint8Array> {
    let from = 0;
    for (const { at, bytes } of this.#splices) {
      if (at > from) yield this.#buffer.subarray(from, at);
      yield bytes;
      from = at;
    }
    if (this.#used > from) yield this.#buffer.subarray(from, this.#used);
  }

  #tag(field: number, type: number): void {
    this.#varint(field * 8 + type);
  }

  #int64(value: number): void {
    if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
      this.#varint(value);
      return;
    }
    const clamped = value >= 2 ** 63 ? 2n ** 63n - 1n : value <= -(2 ** 63) ? -(2n ** 63n) : BigInt(value);
    let rest = BigInt.asUintN(64, clamped);
    this.#ensure(10);
    while (rest >= 0x80n) {
      this.#buffer[this.#used++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#buffer[this.#used++] = Number(rest);
  }

  #varint(value: number): void {
    this.#ensure(10);
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#used++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#used++] = rest;
  }

  #ensure(extra: number): void {
    if (this.#used + extra <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(this.#buffer.length * 2, this.#used + extra));
    larger.set(this.#buffer.subarray(0, this.#used));
    this.#buffer = larger;
    this.#view = new DataView(larger.buffer);
  }
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}
