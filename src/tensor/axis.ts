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
  const { outer, size, inner } = axisView(tensor.dims, axis);
  const dims = replaceAxis(tensor.dims, axis, indices.length);
  const data = allocate(tensor.dtype, outer * indices.length * inner);
  for (let block = 0; block < outer; block++) {
    let slice = 0;
    while (slice < indices.length) {
      const first = indices[slice] as number;
      let run = 1;
      while (first >= 0 && slice + run < indices.length && indices[slice + run] === first + run) run++;
      if (first >= 0) {
        const from = (block * size + first) * inner;
        const chunk = tensor.data.subarray(from, from + run * inner);
        // Both arrays have the same dtype; TypeScript cannot see that through the indexed type.
        (data as Float32Array).set(chunk as Float32Array, (block * indices.length + slice) * inner);
      }
      slice += run;
    }
  }
  return { ...tensor, dims, data };
}
