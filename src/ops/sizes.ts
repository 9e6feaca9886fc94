import type { Dim, Shape } from "../graph/dim.ts";
import type { ValueType } from "../graph/model.ts";
import { isFloat } from "../tensor/dtype.ts";
import { toNumbers } from "../tensor/tensor.ts";
import { inferBroadcast } from "./broadcast.ts";
import type { Call } from "./operator.ts";

/** Longest integer vector that is followed element by element; shapes are far shorter. */
const maxFollowed = 64;

/**
 * The elements of integer input `index`, size by size, where they are known: constants, and what Shape,
 * Gather, Concat and arithmetic make of sizes. Undefined where the input is absent or unknown.
 */
export function sizesOf(call: Call, index: number): Shape | undefined {
  if (!call.has(index)) return undefined;
  const constant = call.constant(index);
  if (constant === undefined) return call.input(index).value;
  if (isFloat(constant.dtype) || constant.data.length > maxFollowed) return undefined;
  return toNumbers(constant);
}

/** As {@link sizesOf}, where every element is a number. */
export function numbersOf(call: Call, index: number): readonly number[] | undefined {
  const sizes = sizesOf(call, index);
  return sizes?.every((size): size is number => typeof size === "number") ? sizes : undefined;
}

/** A type, with the elements where they are known. */
export function sized(type: ValueType, value: Shape | undefined): ValueType {
  const { dtype, shape } = type;
  return value === undefined || isFloat(dtype) ? { dtype, shape } : { dtype, shape, value };
}

/** The name of a size that no rule can tell: axis `axis` of output `index`. */
export function unknownSize(call: Call, axis: number, index = 0): Dim {
  const name = (call.node.outputs[index] ?? call.node.name).replace(/[^A-Za-z0-9_.]/g, "_");
  return `unknown.${name}.${axis}`;
}

/** Shape rule of elementwise arithmetic on two inputs, which also computes with sizes where it is given any. */
export function inferArithmetic(
  fold: (a: Dim, b: Dim) => Dim | undefined,
): (call: Call) => readonly ValueType[] {
  const infer = inferBroadcast(2);
  return (call) => {
    const [type] = infer(call) as [ValueType];
    if (isFloat(type.dtype)) return [type];
    const [a, b] = [sizesOf(call, 0), sizesOf(call, 1)];
    if (a === undefined || b === undefined || type.shape.length > 1) return [type];
    const length = Math.max(a.length, b.length);
    const value: Dim[] = [];
    for (let at = 0; at < length; at++) {
      const size = fold(a[a.length === 1 ? 0 : at] as Dim, b[b.length === 1 ? 0 : at] as Dim);
      if (size === undefined) return [type];
      value.push(size);
    }
    return [sized(type, value)];
  };
}

/** Elementwise equality of two vectors of sizes, as 0 and 1; undefined where symbols do not tell. */
export function equalSizes(a: Shape, b: Shape): Shape | undefined {
  const length = Math.max(a.length, b.length);
  const answers: number[] = [];
  for (let at = 0; at < length; at++) {
    const [x, y] = [a[a.length === 1 ? 0 : at] as Dim, b[b.length === 1 ? 0 : at] as Dim];
    // A size is never negative, whatever its symbol stands for.
    const differ = typeof x === "number" ? typeof y === "number" || x < 0 : typeof y === "number" && y < 0;
    if (x !== y && !differ) return undefined;
    answers.push(Number(x === y));
  }
  return answers;
}
