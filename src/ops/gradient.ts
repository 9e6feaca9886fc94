import { int, ints } from "../graph/model.ts";
import type { GradientCall } from "./operator.ts";

/**
 * Sums `gradient`, which has the shape of output 0, down to the shape of input `index`: the adjoint of
 * NumPy broadcasting. Returns it unchanged where nothing was broadcast.
 */
export function unbroadcast(call: GradientCall, gradient: string, index: number): string {
  const from = call.graph.typeOf(gradient).shape;
  const to = call.shape(index);
  const lead = from.length - to.length;
  const stretched = to.flatMap((dim, axis) => (dim === 1 && from[axis + lead] !== 1 ? [axis + lead] : []));
  const leading = Array.from({ length: lead }, (_, axis) => axis);
  if (leading.length + stretched.length === 0) return gradient;
  const summed = call.graph.emit("ReduceSum", [gradient, call.graph.vector([...leading, ...stretched])], {
    keepdims: int(1),
  });
  if (lead === 0) return summed;
  return call.graph.emit("Squeeze", [summed, call.graph.vector(leading)]);
}

/** The runtime shape of a value as an int64 vector, for Reshape and Expand. */
export function shapeOf(call: GradientCall, name: string): string {
  const shape = call.graph.typeOf(name).shape;
  const sizes = shape.filter((dim): dim is number => typeof dim === "number");
  return sizes.length === shape.length ? call.graph.vector(sizes) : call.graph.emit("Shape", [name]);
}

/** `gradient` (the shape of a reduction without kept axes) with size-1 axes put back at `axes`. */
export function restoreAxes(
  call: GradientCall,
  gradient: string,
  axes: readonly number[],
  kept: boolean,
): string {
  return kept || axes.length === 0
    ? gradient
    : call.graph.emit("Unsqueeze", [gradient, call.graph.vector(axes)]);
}

export function transpose(
  call: { graph: GradientCall["graph"] },
  name: string,
  perm: readonly number[],
): string {
  return call.graph.emit("Transpose", [name], { perm: ints(perm) });
}
