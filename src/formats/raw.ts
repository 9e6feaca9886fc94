import { bytesPerElement, type DataOf, type DType, viewOf } from "../tensor/dtype.ts";
import { EspalierError } from "../tensor/errors.ts";
import { sizeOf } from "../tensor/tensor.ts";

/**
 * The elements of a tensor from their raw little-endian bytes (JavaScript runs on little-endian machines
 * only): a view of `raw` if it is aligned, else a copy. The `room` bytes before `raw` may be overwritten:
 * the elements are moved there if that aligns them. Throws `FORMAT` if the bytes do not fill the
 * shape, or a bool is neither 0 nor 1.
 */
export function elementsFrom<D extends DType>(
  thing: string,
  dtype: D,
  dims: readonly number[],
  raw: Uint8Array,
  room = 0,
): DataOf[D] {
  const width = bytesPerElement(dtype);
  const size = sizeOf(dims);
  if (raw.length !== size * width) {
    throw new EspalierError("FORMAT", {
      thing,
      rule: `${dtype} [${dims.join(", ")}] needs ${size * width} bytes`,
      received: raw.length,
    });
  }
  if (dtype === "bool") checkBools(thing, raw);
  const aligned = align(raw, width, room);
  return viewOf(dtype, aligned.buffer, aligned.byteOffset, size);
}

function align(raw: Uint8Array, width: number, room: number): Uint8Array {
  const excess = raw.byteOffset % width;
  if (excess === 0) return raw;
  // Not raw.slice(): for a Node Buffer that is another view.
  if (excess > room) return new Uint8Array(raw);
  const moved = new Uint8Array(raw.buffer, raw.byteOffset - excess, raw.length + excess);
  moved.copyWithin(0, excess);
  return moved.subarray(0, raw.length);
}

function checkBools(thing: string, raw: Uint8Array): void {
  for (let index = 0; index < raw.length; index++) {
    if ((raw[index] as number) > 1) {
      throw new EspalierError("FORMAT", { thing, rule: "a bool must be 0 or 1", received: raw[index] });
    }
  }
}

/** The bytes of a tensor's elements, without copying. */
export function bytesOf(data: DataOf[DType]): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
