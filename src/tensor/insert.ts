import { axisView, replaceAxis } from "./axis.ts";

/** Zero slices to insert into an axis: for every slice of the result the old one, in order, or -1 for a new one. */
export interface Insertion {
  readonly axis: number;
  readonly indices: Int32Array;
}

/** {@link take} in place: `data` begins with a tensor of `dims` and has room for the result. Returns the new dims. */
export function insertInPlace(
  data: Float32Array,
  dims: readonly number[],
  { axis, indices }: Insertion,
): readonly number[] {
  const { outer, size, inner } = axisView(dims, axis);
  // From the end, so that nothing is overwritten before it has moved.
  for (let block = outer - 1; block >= 0; block--) {
    for (let end = indices.length; end > 0; ) {
      let first = end - 1;
      while (first > 0 && adjoin(indices, first - 1)) first--;
      const old = indices[first] as number;
      const to = (block * indices.length + first) * inner;
      const length = (end - first) * inner;
      const from = (block * size + old) * inner;
      if (old < 0) data.fill(0, to, to + length);
      else data.copyWithin(to, from, from + length);
      end = first;
    }
  }
  return replaceAxis(dims, axis, indices.length);
}

/** The inverse: drops the inserted slices from a tensor of `dims`. Returns the dims without them. */
export function removeInPlace(
  data: Float32Array,
  dims: readonly number[],
  { axis, indices }: Insertion,
): readonly number[] {
  const { outer, size, inner } = axisView(dims, axis);
  let to = 0;
  for (let block = 0; block < outer; block++) {
    for (let slice = 0; slice < size; slice++) {
      if ((indices[slice] as number) < 0) continue;
      const from = (block * size + slice) * inner;
      data.copyWithin(to, from, from + inner);
      to += inner;
    }
  }
  return replaceAxis(dims, axis, indices.filter((old) => old >= 0).length);
}

/** Whether a slice and the next one are both new, or were neighbors before. */
function adjoin(indices: Int32Array, slice: number): boolean {
  const here = indices[slice] as number;
  const behind = indices[slice + 1] as number;
  return here < 0 ? behind < 0 : behind === here + 1;
}
