import type { Shape } from "../../graph/dim.ts";
import { int, ints, text } from "../../graph/model.ts";
import type { GradientCall } from "./operator.ts";

/**
 * Sums `gradient`, which has the shape of output 0, down to the shape of input `index`: the adjoint of
 * NumPy broadcasting. Returns it unchanged if nothing was broadcast.
 */
export function unbroadcast(call: GradientCall, gradient: string, index: number): string {
  return unbroadcastTo(call, gradient, call.shape(index));
}

/** As {@link unbroadcast}, down to a shape that is not an input's. */
export function unbroadcastTo(call: GradientCall, gradient: string, to: Shape): string {
  const from = call.graph.typeOf(gradient).shape;
  const lead = from.length - to.length;
  const stretched = to.flatMap((dim, axis) => (dim === 1 && from[axis + lead] !== 1 ? [axis + lead] : []));
  const leading = Array.from({ length: lead }, (_, axis) => axis);
  if (leading.length + stretched.length === 0) return gradient;
  const keepdims = int(Number(stretched.length > 0));
  const axes = call.graph.vector([...leading, ...stretched]);
  const summed = call.graph.emit("ReduceSum", [gradient, axes], { keepdims });
  if (lead === 0 || stretched.length === 0) return summed;
  return call.graph.emit("Squeeze", [summed, call.graph.vector(leading)]);
}

/** The runtime shape of a value as an int64 vector, for Reshape and Expand. */
export function shapeOf(call: GradientCall, name: string): string {
  const shape = call.graph.typeOf(name).shape;
  const sizes = shape.filter((dim): dim is number => typeof dim === "number");
  return sizes.length === shape.length ? call.graph.vector(sizes) : call.graph.emit("Shape", [name]);
}

/** `gradient` (in the shape of a reduction without kept axes) with size-1 axes put back at `axes`. */
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

/** float32 zeros in the shape of a value. */
export function zerosLike(call: GradientCall, name: string): string {
  return call.graph.emit("ConstantOfShape", [shapeOf(call, name)]);
}

/**
 * The adjoint of an operator that only copies elements of its one data input: `copy` writes that operator for
 * a tensor of the data's shape. It is run on the positions 0, 1, 2, ..., which shows where each gradient entry
 * belongs; entries with the same origin add up. Slow but always right: for strides, reflections and index lists.
 */
export function scatterBack(call: GradientCall, copy: (positions: string) => string): string {
  const { graph } = call;
  const data = call.node.inputs[0] as string;
  const shape = shapeOf(call, data);
  const flat = graph.vector([-1]);
  const scalar = (value: number) => graph.emit("Squeeze", [graph.vector([value]), graph.vector([0])]);
  const size = graph.emit("Size", [data]);
  const positions = graph.emit("Reshape", [graph.emit("Range", [scalar(0), size, scalar(1)]), shape]);
  const zeros = graph.emit("ConstantOfShape", [graph.emit("Reshape", [size, flat])]);
  // ScatterElements, not ScatterND: the latter adds in parallel, in no fixed order (ONNX Runtime issue 18048).
  const sums = graph.emit(
    "ScatterElements",
    [zeros, graph.emit("Reshape", [copy(positions), flat]), graph.emit("Reshape", [call.upstream, flat])],
    { axis: int(0), reduction: text("add") },
  );
  return graph.emit("Reshape", [sums, shape]);
}
