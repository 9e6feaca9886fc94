import { bytesPerElement, type DataOf, type DType, viewOf } from "../tensor/dtype.ts";
import { EspalierError } from "../tensor/errors.ts";
import { sizeOf } from "../tensor/tensor.ts";

/**
 * The elements of a tensor from their raw little-endian bytes (JavaScript runs on little-endian machines
 * only): a view of `raw` where it is aligned, else a copy. Throws `FORMAT` where the bytes do not fill the
 * shape, or a bool is neither 0 nor 1.
 */
export function elementsFrom<D extends DType>(
  thing: string,
  dtype: D,
  dims: readonly number[],
  raw: Uint8Array,
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
  if (dtype === "bool" && raw.some((byte) => byte > 1)) {
    throw new EspalierError("FORMAT", {
      thing,
      rule: "a bool must be 0 or 1",
      received: raw.find((byte) => byte > 1),
    });
  }
  // Not raw.slice(): on a Buffer of Node that is another view.
  const aligned = raw.byteOffset % width === 0 ? raw : new Uint8Array(raw);
  return viewOf(dtype, aligned.buffer, aligned.byteOffset, size);
}

/** The bytes of a tensor's elements, without copying. */
export function bytesOf(data: DataOf[DType]): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
