import { EspalierError } from "../tensor/errors.ts";

const pageBytes = 65_536;
const maxPages = 65_536;

/** A cache line, and the alignment that ONNX Runtime's vector code prefers. */
const alignment = 64;

/**
 * One WebAssembly memory from which arrays are cut one after another, so that ONNX Runtime and the optimizer
 * kernel work on the same bytes without copying. Growing the memory detaches every view made before (their
 * length becomes 0): `reserve` first, allocate, then make views. At most 4 GiB; it never shrinks.
 */
export class Arena {
  readonly memory = new WebAssembly.Memory({ initial: 0 });
  #used = 0;

  /** Size of the memory in bytes. Views stay valid as long as this number stays the same. */
  get byteLength(): number {
    return this.memory.buffer.byteLength;
  }

  /** Bytes handed out since the start or the last `reset`, rounding included. */
  get used(): number {
    return this.#used;
  }

  /**
   * The byte offset, a multiple of 64, of `bytes` bytes that nobody else uses. Grows the memory if necessary.
   * The bytes are not cleared after a `reset`. Throws `TOO_LARGE` beyond 4 GiB, `ARGUMENT` for a size that is
   * not a whole number.
   */
  allocate(bytes: number): number {
    const offset = this.#used;
    const end = offset + aligned(bytes);
    this.#ensure(end);
    this.#used = end;
    return offset;
  }

  /**
   * Grows the memory once, so that allocations of these sizes, in any order, will not grow it again.
   * Throws as `allocate` does, in which case nothing has changed.
   */
  reserve(...sizes: readonly number[]): void {
    this.#ensure(sizes.reduce((end, bytes) => end + aligned(bytes), this.#used));
  }

  /** Forgets every allocation. The memory and its contents stay. */
  reset(): void {
    this.#used = 0;
  }

  /** A view of `length` float32 values at a byte offset; valid until the memory grows. */
  float32(offset: number, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.memory.buffer, offset, length);
  }

  #ensure(end: number): void {
    const missing = Math.ceil((end - this.byteLength) / pageBytes);
    if (missing <= 0) return;
    if (end > maxPages * pageBytes) throw tooLarge("can be at most 4 GiB", end);
    try {
      this.memory.grow(missing);
    } catch (cause) {
      throw tooLarge("needs more memory than the machine has", end, cause);
    }
  }
}

function aligned(bytes: number): number {
  if (!Number.isSafeInteger(bytes) || bytes < 0) {
    throw new EspalierError("ARGUMENT", {
      thing: "arena",
      rule: "sizes are whole numbers of bytes, 0 or more",
      received: bytes,
    });
  }
  return Math.ceil(bytes / alignment) * alignment;
}

function tooLarge(rule: string, bytes: number, cause?: unknown): EspalierError {
  return new EspalierError("TOO_LARGE", {
    thing: "arena of parameters, gradients and optimizer state",
    rule,
    received: bytes,
    remedy: "Use a smaller network, or an optimizer with less state.",
    cause,
  });
}
