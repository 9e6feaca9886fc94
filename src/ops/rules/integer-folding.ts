import { allocate, isFloat } from "../../tensor/dtype.ts";
import { makeTensor, sizeOf, type Tensor } from "../../tensor/tensor.ts";
import type { Call } from "./operator.ts";

/**
 * Integer tensors that are computed from constants alone (paddings, axes, shapes) are evaluated when a model is read.
 * Weights are not: while a model trains, it computes with their current values.
 */
const maxFolded = 4096;

/** The constant integers of each input, absent ones left out; undefined if any is something else. */
export function constantIntegers(call: Call): readonly Tensor[] | undefined {
  const tensors: Tensor[] = [];
  for (const index of call.node.inputs.keys()) {
    if (!call.has(index)) continue;
    const tensor = call.constant(index);
    if (tensor === undefined || tensor.data.length > maxFolded) return undefined;
    if (isFloat(tensor.dtype) || tensor.dtype === "string") return undefined;
    tensors.push(tensor);
  }
  return tensors;
}

/** The tensor [dims] of the elements of `sources`, one source after another, at `offsets`. */
export function rearranged(
  sources: readonly Tensor[],
  dims: readonly number[],
  offsets: readonly number[],
): Tensor | undefined {
  const dtype = sources[0]?.dtype;
  if (dtype === undefined || sources.some((one) => one.dtype !== dtype)) return undefined;
  if (offsets.length !== sizeOf(dims) || offsets.length > maxFolded) return undefined;
  const elements = sources.flatMap(({ data }) => Array.from(data as ArrayLike<number | bigint>));
  const data = allocate(dtype, offsets.length);
  offsets.forEach((offset, at) => {
    data[at] = elements[offset] as number | bigint;
  });
  return makeTensor(dtype, dims, data);
}

/** The index tuples of a tensor's elements, in order. */
export function placesOf(dims: readonly number[]): readonly (readonly number[])[] {
  return dims.reduce<readonly (readonly number[])[]>(
    (places, size) =>
      places.flatMap((place) => Array.from({ length: size }, (_, index) => [...place, index])),
    [[]],
  );
}

/** The offset of a place from the first element. */
export function offsetOf(place: readonly number[], dims: readonly number[]): number {
  return place.reduce((offset, index, axis) => offset * (dims[axis] as number) + index, 0);
}
