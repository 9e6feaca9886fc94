import type { Shape } from "../../graph/dim.ts";
import { type AxisRule, input, output, tie, type Written } from "../rules/axis-rule.ts";
import { movedBound } from "../rules/bounds.ts";
import { broadcastShapes } from "../rules/broadcast.ts";
import { moved } from "../rules/contents.ts";
import { unbroadcast } from "../rules/gradient.ts";
import { stretchesInterval } from "../rules/interval-rules.ts";
import type { Call, Operator } from "../rules/operator.ts";
import { sizesOf, unknownSize } from "../rules/sizes.ts";

function target(call: Call): Shape {
  const sizes = sizesOf(call, 1);
  if (sizes !== undefined) return sizes;
  const rank = call.shape(1)[0];
  if (typeof rank !== "number") call.unruled("the number of axes of its target shape must be known", rank);
  return Array.from({ length: rank }, (_, axis) => unknownSize(call, axis));
}

function flow(call: Call): AxisRule {
  const from = call.shape(0);
  const to = call.output(0).shape;
  const lead = to.length - from.length;
  const kept = (axis: number) => axis >= lead && from[axis - lead] === to[axis];
  const axes = to.map((_, axis) => axis);
  const sizes = target(call);
  // An axis that Expand adds, or stretches from 1, may have any size.
  const made = axes.filter((axis) => !kept(axis));
  const written = axes.flatMap((axis): Written[] => {
    const element = axis - (to.length - sizes.length);
    const follows = sizes[element] === 1 && axis >= lead;
    return sizes[element] !== undefined && !follows
      ? [{ at: output(axis), place: { input: 1, element } }]
      : [];
  });
  return {
    ties: axes.filter(kept).map((axis) => tie(input(0, axis - lead), output(axis))),
    roles: axes.filter(kept).map((axis) => ({ at: input(0, axis - lead), role: "incoming" })),
    ends: made.map((axis) => output(axis)),
    written,
    contents: moved,
  };
}

/** Broadcasts a tensor to a shape. ONNX Expand-13. */
export const expand: Operator = {
  infer: (call) => [
    { dtype: call.input(0).dtype, shape: broadcastShapes(call, [call.shape(0), target(call)]) },
  ],
  gradient: (call) => [unbroadcast(call, call.upstream, 0)],
  axes: flow,
  interval: stretchesInterval,
  rounding: movedBound,
  flops: () => 0,
};
