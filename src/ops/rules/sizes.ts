import type { Dim, Shape } from "../../graph/dim.ts";
import type { ValueType } from "../../graph/model.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { toNumbers } from "../../tensor/tensor.ts";
import { inferBroadcast } from "./broadcast.ts";
import type { Call } from "./operator.ts";

/** Longest integer vector that is followed element by element; shapes are far shorter. */
const maxFollowed = 64;

/**
 * The elements of integer input `index`, as sizes, if they are known: constants, and what Shape,
 * Gather, Concat and arithmetic make of sizes. Undefined if the input is absent or unknown.
 */
export function sizesOf(call: Call, index: number): Shape | undefined {
  if (!call.has(index)) return undefined;
  const constant = call.constant(index);
  if (constant === undefined) return call.input(index).value;
  if (isFloat(constant.dtype) || constant.data.length > maxFollowed) return undefined;
  return toNumbers(constant);
}

/** As {@link sizesOf}, if every element is a number. */
export function numbersOf(call: Call, index: number): readonly number[] | undefined {
  const sizes = sizesOf(call, index);
  return sizes?.every((size): size is number => typeof size === "number") ? sizes : undefined;
}

/** A type, with the elements if they are known. */
export function sized(type: ValueType, value: Shape | undefined): ValueType {
  return withValue(type, isFloat(type.dtype) ? undefined : value);
}

/** The name for a size that no rule can infer: axis `axis` of output `index`. */
export function unknownSize(call: Call, axis: number, index = 0): Dim {
  const name = (call.node.outputs[index] ?? call.node.name).replace(/[^A-Za-z0-9_.]/g, "_");
  return `unknown.${name}.${axis}`;
}

/** Longest vector of real numbers that is followed; scales are computed from them. */
const maxReals = 8;

/** The elements of a real input that are computed from sizes, or those of a small constant. */
export function realsOf(call: Call, index: number): Shape | undefined {
  const constant = call.constant(index);
  if (constant === undefined) return call.input(index).value;
  return isFloat(constant.dtype) && constant.data.length <= maxReals ? toNumbers(constant) : undefined;
}

/**
 * Shape rule of elementwise arithmetic on two inputs, which also computes with sizes if it is given any; `real` is
 * the same on real numbers.
 */
export function inferArithmetic(
  fold: (a: Dim, b: Dim) => Dim | undefined,
  real = fold,
): (call: Call) => readonly ValueType[] {
  const infer = inferBroadcast(2);
  return (call) => {
    const [type] = infer(call) as [ValueType];
    if (type.shape.length > 1) return [type];
    if (!isFloat(type.dtype)) return [withValue(type, folded(sizesOf(call, 0), sizesOf(call, 1), fold))];
    if (call.input(0).value === undefined && call.input(1).value === undefined) return [type];
    const reals = (a: Dim, b: Dim) => (isExact(a, b) ? real(a, b) : undefined);
    return [withValue(type, folded(realsOf(call, 0), realsOf(call, 1), reals))];
  };
}

/** Whether a polynomial of sizes can express the result: a symbolic size is multiplied only by whole numbers. */
function isExact(a: Dim, b: Dim): boolean {
  const numbers = typeof a === "number" && typeof b === "number";
  return numbers || [a, b].every((one) => typeof one === "string" || Number.isInteger(one));
}

/** {@link sized}, for real numbers too. */
export function withValue({ dtype, shape }: ValueType, value: Shape | undefined): ValueType {
  return value === undefined ? { dtype, shape } : { dtype, shape, value };
}

function folded(
  a: Shape | undefined,
  b: Shape | undefined,
  fold: (a: Dim, b: Dim) => Dim | undefined,
): Shape | undefined {
  if (a === undefined || b === undefined) return undefined;
  const value: Dim[] = [];
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const size = fold(a[a.length === 1 ? 0 : at] as Dim, b[b.length === 1 ? 0 : at] as Dim);
    if (size === undefined) return undefined;
    value.push(size);
  }
  return value;
}

/** Elementwise equality of two vectors of sizes, as 0 and 1; undefined if symbols leave it open. */
export function equalSizes(a: Shape, b: Shape): Shape | undefined {
  const length = Math.max(a.length, b.length);
  const answers: number[] = [];
  for (let at = 0; at < length; at++) {
    const [x, y] = [a[a.length === 1 ? 0 : at] as Dim, b[b.length === 1 ? 0 : at] as Dim];
    // A size is never negative, no matter what its symbol stands for.
    const differ = typeof x === "number" ? typeof y === "number" || x < 0 : typeof y === "number" && y < 0;
    if (x !== y && !differ) return undefined;
    answers.push(Number(x === y));
  }
  return answers;
}
