import { givenAxes } from "../rules/axes.ts";
import { input, output, tie } from "../rules/axis-rule.ts";
import { movedBound } from "../rules/bounds.ts";
import { moved } from "../rules/contents.ts";
import { keepsInterval } from "../rules/interval-rules.ts";
import type { Call, Operator } from "../rules/operator.ts";
import { attributesAsInputs } from "../rules/raising.ts";
import { sized, sizesOf } from "../rules/sizes.ts";

/** The axes to drop, in order: those given, or every axis of size 1. */
function squeezed(call: Call): readonly number[] {
  const shape = call.shape(0);
  const ones = shape.flatMap((dim, axis) => (dim === 1 ? [axis] : []));
  const axes = givenAxes(call, 1, shape.length) ?? ones;
  for (const axis of axes) {
    const dim = shape[axis];
    if (typeof dim === "number" && dim !== 1) call.fail(`axis ${axis} must have size 1`, shape);
  }
  return [...axes].sort((a, b) => a - b);
}

/** Drops axes of size 1. ONNX Squeeze-21. */
export const squeeze: Operator = {
  infer(call) {
    const { dtype, shape } = call.input(0);
    const axes = squeezed(call);
    const rest = shape.filter((_, axis) => !axes.includes(axis));
    return [sized({ dtype, shape: rest }, sizesOf(call, 0))];
  },
  gradient: (call) => [call.graph.emit("Unsqueeze", [call.upstream, call.graph.vector(squeezed(call))])],
  axes(call) {
    const axes = squeezed(call);
    const rest = call.shape(0).flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
    return { ties: rest.map((axis, position) => tie(input(0, axis), output(position))), contents: moved };
  },
  interval: keepsInterval,
  rounding: movedBound,
  moves: true,
  flops: () => 0,
  upgrade: attributesAsInputs("axes"),
};
