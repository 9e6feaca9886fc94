import { int } from "../../graph/model.ts";
import { isFloat } from "../../tensor/dtype.ts";
import type { RoundingCall } from "./operator.ts";

/** Unit roundoff of float32: half the distance from 1 to the next number. */
export const unitRoundoff = 2 ** -24;

/** Keeps a divisor from being 0 in a bound; near the smallest normal float32. */
export const tiniest = 2 ** -120;

type Emitter = Pick<RoundingCall, "graph">;

/** Sum of bounds, any of which may be absent (exact). */
export function addBounds(call: Emitter, ...bounds: readonly (string | undefined)[]): string | undefined {
  return bounds.reduce((sum, bound) =>
    sum === undefined ? bound : bound === undefined ? sum : call.graph.emit("Add", [sum, bound]),
  );
}

/** |value|. */
export function magnitude(call: Emitter, value: string): string {
  return call.graph.emit("Abs", [value]);
}

/** `factor`·|value|: the rounding of `factor / unitRoundoff` operations whose result is `value`. */
export function relativeBound(call: Emitter, value: string, factor: number): string {
  return call.graph.emit("Mul", [magnitude(call, value), call.graph.scalar(factor)]);
}

/** {@link relativeBound} of output 0; absent if it is not floating-point: integers do not round. */
export function computedBound(call: RoundingCall, factor: number): string | undefined {
  if (!isFloat(call.output(0).dtype)) return undefined;
  return relativeBound(call, call.node.outputs[0] as string, factor);
}

/** A bound that broadcasts to output 0, stretched to its shape: every bound has the shape of its value. */
export function stretchBound(call: RoundingCall, bound: string | undefined): string | undefined {
  if (bound === undefined) return undefined;
  const name = call.node.outputs[0] as string;
  const [from, to] = [call.graph.typeOf(bound).shape, call.graph.typeOf(name).shape];
  if (from.length === to.length && from.every((dim, axis) => dim === to[axis])) return bound;
  return call.graph.emit("Expand", [bound, call.graph.emit("Shape", [name])]);
}

/** bound · factor; absent if the bound is. */
export function scaleBound(call: Emitter, bound: string | undefined, factor: number): string | undefined {
  if (bound === undefined || factor === 1) return bound;
  return call.graph.emit("Mul", [bound, call.graph.scalar(factor)]);
}

/**
 * Rounding rule of an elementwise function with Lipschitz constant `slope`, computed to within `ulps` units in
 * the last place: slope·(input bound) + ulps·2u·|y|. `ulps` 0 means that the function itself is exact.
 */
export function elementwiseBound(slope: number, ulps: number): (call: RoundingCall) => string | undefined {
  return (call) => {
    const carried = scaleBound(call, call.inputBounds[0], slope);
    if (ulps === 0) return carried;
    return addBounds(call, carried, computedBound(call, 2 * ulps * unitRoundoff));
  };
}

/** Rounding rule of operators that only rearrange elements: apply the same operator to the bound. */
export function movedBound(call: RoundingCall): string | undefined {
  const bound = call.inputBounds[0];
  if (bound === undefined) return undefined;
  return call.graph.emit(call.node.op, [bound, ...call.node.inputs.slice(1)], call.node.attributes);
}

/**
 * (n + 2)·u as a float32 scalar, for a sum of n products, n being the product of the runtime sizes of `axes` of
 * `value` (Higham, "Accuracy and Stability of Numerical Algorithms", §3.1: γₙ = nu / (1 − nu)).
 */
export function sumRoundoff(call: Emitter, value: string, axes: readonly number[]): string {
  const shape = call.graph.typeOf(value).shape;
  const sizes = axes.map((axis) => shape[axis]);
  if (sizes.every((size): size is number => typeof size === "number")) {
    const n = sizes.reduce((product, size) => product * size, 1) + 2;
    return call.graph.scalar((n * unitRoundoff) / (1 - n * unitRoundoff));
  }
  const dims = call.graph.emit("Gather", [call.graph.emit("Shape", [value]), call.graph.vector(axes)]);
  const floats = call.graph.emit("Cast", [dims], { to: int(1) });
  const count = call.graph.emit("ReduceProd", [floats], { keepdims: int(0) });
  return call.graph.emit("Mul", [
    call.graph.emit("Add", [count, call.graph.scalar(2)]),
    call.graph.scalar(1.01 * unitRoundoff),
  ]);
}
