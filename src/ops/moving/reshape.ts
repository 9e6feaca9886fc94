import type { Shape } from "../../graph/dim.ts";
import { divideDims, isConcrete, productOfDims } from "../../graph/dim.ts";
import { sameLayout, unitLayout, untouched } from "../../graph/layout.ts";
import { toNumbers } from "../../tensor/tensor.ts";
import type { AxisRef, AxisRule, Tie, Written } from "../rules/axis-rule.ts";
import { input, output } from "../rules/axis-rule.ts";
import { movedBound } from "../rules/bounds.ts";
import { moved } from "../rules/contents.ts";
import { type Group, groupAxes, groupTies } from "../rules/folding.ts";
import { shapeOf } from "../rules/gradient.ts";
import { constantIntegers, rearranged } from "../rules/integer-folding.ts";
import { keepsOrder } from "../rules/interval-rules.ts";
import type { Call, Operator } from "../rules/operator.ts";
import { sized, sizesOf, unknownSize } from "../rules/sizes.ts";

/**
 * The target as written (0 copies a size, −1 is inferred), from the input or, before opset 5, the attribute.
 */
function target(call: Call): Shape | undefined {
  return call.ints("shape") ?? sizesOf(call, 1);
}

function resolve(shape: Shape, written: Shape | undefined, call: Call): Shape {
  if (written === undefined) {
    const rank = call.shape(1)[0];
    if (typeof rank !== "number") call.unruled("the number of axes of its target shape must be known", rank);
    return Array.from({ length: rank }, (_, axis) => unknownSize(call, axis));
  }
  const zeroCopies = call.int("allowzero", 0) === 0;
  const copied = written.map((size, axis) => {
    if (size !== 0 || !zeroCopies) return size;
    return (
      shape[axis] ?? call.fail(`target axis ${axis} copies an axis that the input does not have`, written)
    );
  });
  const open = copied.indexOf(-1);
  if (open < 0) {
    const [before, after] = [productOfDims(shape), productOfDims(copied)];
    if (typeof before === "number" && typeof after === "number" && before !== after) {
      call.fail(`the target shape must have ${before} elements`, copied);
    }
    return copied;
  }
  // Cancel equal sizes first: polynomials of several terms cannot be divided.
  const left = [...shape];
  const rest = copied.filter((size, axis) => {
    if (axis === open) return false;
    const at = left.indexOf(size);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  const [dividend, divisor] = [productOfDims(left), productOfDims(rest)];
  const quotient = divisor === 0 ? undefined : divideDims(dividend, divisor);
  if (quotient === undefined && typeof dividend === "number" && typeof divisor === "number") {
    call.fail("the target shape must divide the number of elements", { shape, target: written });
  }
  return copied.map((size, axis) => (axis === open ? (quotient ?? unknownSize(call, axis)) : size));
}

/** The axes whose target is 0, if 0 means "copy the size". */
function copiedAxes(call: Call): readonly number[] {
  if (call.int("allowzero", 0) !== 0) return [];
  return (target(call) ?? []).flatMap((size, axis) => (size === 0 ? [axis] : []));
}

/**
 * The groups of axes if the sizes leave them open. Equal axes at both ends map to themselves; everything
 * between them is one group, since it has the same number of elements before and after.
 */
function outerGroups(from: Shape, to: Shape): readonly Group[] {
  const most = Math.min(from.length, to.length);
  let [first, last] = [0, 0];
  while (first < most && from[first] === to[first]) first++;
  while (last < most - first && from[from.length - 1 - last] === to[to.length - 1 - last]) last++;
  const axes = (start: number, end: number) => Array.from({ length: end - start }, (_, at) => start + at);
  return [
    ...axes(0, first).map((axis) => ({ from: [axis], to: [axis] })),
    { from: axes(first, from.length - last), to: axes(first, to.length - last) },
    ...axes(0, last).map((at) => ({ from: [from.length - last + at], to: [to.length - last + at] })),
  ];
}

function flow(call: Call): AxisRule {
  const from = call.shape(0);
  const to = call.output(0).shape;
  const groups = groupAxes(from, to) ?? outerGroups(from, to);
  const ties: Tie[] = [];
  const blocked: { at: AxisRef; reason: string }[] = [];
  const block = (fromAxes: readonly number[], toAxes: readonly number[], reason: string) => {
    for (const axis of fromAxes) blocked.push({ at: input(0, axis), reason });
    for (const axis of toAxes) blocked.push({ at: output(axis), reason });
  };
  for (const group of groups) {
    const kept = groupTies(group, from, to);
    if (kept === undefined) block(group.from, group.to, "the Reshape mixes several axes");
    else ties.push(...kept);
  }
  // A 0 copies the size of the input axis with the same index, which need not be the axis that the positions
  // come from.
  const copied = copiedAxes(call);
  for (const axis of copied) {
    const own = ties.find(({ a, b }) => a.axis === axis && b.axis === axis);
    const carried = own?.forward?.(unitLayout) ?? (own === undefined ? untouched : unitLayout);
    if ("blocked" in carried || !sameLayout(carried, unitLayout)) {
      block([axis], [axis], "the Reshape copies the size of one axis to another");
    }
  }
  const inAttribute = call.ints("shape") !== undefined;
  const written = (target(call) ?? []).flatMap((size, element): Written[] => {
    // A symbolic element may contain a literal too: batch · heads. So does a 0, which would copy the size of
    // one axis only.
    if (size === -1 || (size === 0 && !copied.includes(element))) return [];
    const place = inAttribute ? { attribute: "shape", element } : { input: 1, element };
    return [{ at: output(element), place }];
  });
  return { ties, blocked, written, contents: moved };
}

/** The same elements in another shape. ONNX Reshape-21. */
export const reshape: Operator = {
  infer(call) {
    const shape = resolve(call.shape(0), target(call), call);
    return [sized({ dtype: call.input(0).dtype, shape }, shape.length <= 1 ? sizesOf(call, 0) : undefined)];
  },
  gradient: (call) => [
    call.graph.emit("Reshape", [call.upstream, shapeOf(call, call.node.inputs[0] as string)]),
  ],
  axes: flow,
  interval: keepsOrder,
  constant(call) {
    const [from, to] = constantIntegers(call) ?? [];
    if (from === undefined) return undefined;
    const dims = resolve(from.dims, to === undefined ? call.ints("shape") : toNumbers(to), call);
    if (!isConcrete(dims)) return undefined;
    return rearranged([from], dims, [...from.data.keys()]);
  },
  rounding: movedBound,
  moves: true,
  flops: () => 0,
};
