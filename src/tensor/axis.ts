import { allocate, type DType } from "./dtype.ts";
import { sizeOf, type Tensor } from "./tensor.ts";

/** A row-major tensor seen from one axis: `outer` blocks of `size` slices of `inner` elements. */
export interface AxisView {
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
}

export function axisView(dims: readonly number[], axis: number): AxisView {
  return { outer: sizeOf(dims.slice(0, axis)), size: dims[axis] ?? 1, inner: sizeOf(dims.slice(axis + 1)) };
}

export function replaceAxis<T>(dims: readonly T[], axis: number, size: T): T[] {
  return dims.map((dim, index) => (index === axis ? size : dim));
}

/**
 * Picks slices along an axis: slice `i` of the result is slice `indices[i]` of `tensor`, or zero
 * where the index is -1. With an old-to-new map this both grows and shrinks.
 */
export function take<D extends DType>(
  tensor: Tensor<D>,
  axis: number,
  indices: ArrayLike<number>,
): Tensor<D> {
  const view = axisView(tensor.dims, axis);
  const dims = replaceAxis(tensor.dims, axis, indices.length);
  const data = allocate(tensor.dtype, view.outer * indices.length * view.inner);
  everyRun(view, indices, (from, to, length) => {
    // Both arrays have the same dtype; TypeScript cannot see that through the indexed type.
    if (from >= 0) (data as Float32Array).set(tensor.data.subarray(from, from + length) as Float32Array, to);
    return true;
  });
  return { ...tensor, dims, data };
}

/** Whether {@link take} would give `other`, bit for bit. Nothing is copied. For tensors of numbers. */
export function takesTo(tensor: Tensor, axis: number, indices: ArrayLike<number>, other: Tensor): boolean {
  const dims = replaceAxis(tensor.dims, axis, indices.length);
  if (tensor.dtype !== other.dtype || dims.join() !== other.dims.join()) return false;
  const [bytes, wanted] = [bytesOf(tensor), bytesOf(other)];
  const width = tensor.data.BYTES_PER_ELEMENT;
  return everyRun(axisView(tensor.dims, axis), indices, (from, to, length) => {
    const [source, end] = [from * width, (to + length) * width];
    for (let at = to * width, offset = source - at; at < end; at++) {
      if (wanted[at] !== (from < 0 ? 0 : bytes[at + offset])) return false;
    }
    return true;
  });
}

function bytesOf({ data }: Tensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * Visits the stretches that {@link take} copies, as offsets and lengths in elements, until `visit` is false: from where
 * (negative: zeros) and to where. Returns whether all visits were true.
 */
function everyRun(
  { outer, size, inner }: AxisView,
  indices: ArrayLike<number>,
  visit: (from: number, to: number, length: number) => boolean,
): boolean {
  for (let block = 0; block < outer; block++) {
    let slice = 0;
    while (slice < indices.length) {
      const first = indices[slice] as number;
      let run = 1;
      while (first >= 0 && slice + run < indices.length && indices[slice + run] === first + run) run++;
      const from = first < 0 ? -1 : (block * size + first) * inner;
      if (!visit(from, (block * indices.length + slice) * inner, run * inner)) return false;
      slice += run;
    }
  }
  return true;
}
