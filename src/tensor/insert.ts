import { axisView, replaceAxis } from "./axis.ts";

/** Zero slices that come into an axis: for every slice of the result the old one, in order, or -1 for a new one. */
export interface Insertion {
  readonly axis: number;
  readonly indices: Int32Array;
}

/** What {@link take} gives, in place: `data` begins with a tensor of `dims` and has room for the result. Gives its dims. */
export function insertInPlace(
  data: Float32Array,
  dims: readonly number[],
  { axis, indices }: Insertion,
): readonly number[] {
  const { outer, size, inner } = axisView(dims, axis);
  // From the end, so that nothing is overwritten before it has moved.
  for (let block = outer - 1; block >= 0; block--) {
    for (let slice = indices.length - 1; slice >= 0; slice--) {
      const old = indices[slice] as number;
      const to = (block * indices.length + slice) * inner;
      if (old < 0) {
        data.fill(0, to, to + inner);
        continue;
      }
      const from = (block * size + old) * inner;
      data.copyWithin(to, from, from + inner);
    }
  }
  return replaceAxis(dims, axis, indices.length);
}

/** The inverse: drops the slices that were inserted and made `dims`. Gives the dims without them. */
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
