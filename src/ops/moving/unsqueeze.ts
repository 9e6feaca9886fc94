import type { Shape } from "../../graph/dim.ts";
import { givenAxes } from "../rules/axes.ts";
import { input, output, tie } from "../rules/axis-rule.ts";
import { movedBound } from "../rules/bounds.ts";
import { moved } from "../rules/contents.ts";
import { keepsOrder } from "../rules/interval-rules.ts";
import type { Call, Operator } from "../rules/operator.ts";
import { attributesAsInputs } from "../rules/raising.ts";
import { sized, sizesOf } from "../rules/sizes.ts";

/** The new axes, counted in the output, in order. */
function added(call: Call): readonly number[] {
  const count = call.ints("axes")?.length ?? call.shape(1)[0];
  if (typeof count !== "number") call.unruled("its axes must be constant", call.node.inputs[1]);
  const axes = givenAxes(call, 1, call.rank(0) + count) ?? [];
  if (new Set(axes).size !== axes.length) call.fail("its axes must differ", axes);
  return [...axes].sort((a, b) => a - b);
}

/** Adds axes of size 1. ONNX Unsqueeze-21. */
export const unsqueeze: Operator = {
  infer(call) {
    const { dtype, shape } = call.input(0);
    const axes = added(call);
    const old = [...shape];
    const grown: Shape = Array.from({ length: shape.length + axes.length }, (_, axis) =>
      axes.includes(axis) ? 1 : (old.shift() as number | string),
    );
    return [sized({ dtype, shape: grown }, shape.length === 0 ? sizesOf(call, 0) : undefined)];
  },
  gradient: (call) => [call.graph.emit("Squeeze", [call.upstream, call.graph.vector(added(call))])],
  axes(call) {
    const axes = added(call);
    const rank = call.rank(0) + axes.length;
    const kept = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => !axes.includes(axis));
    return { ties: kept.map((axis, position) => tie(input(0, position), output(axis))), contents: moved };
  },
  interval: keepsOrder,
  rounding: movedBound,
  moves: true,
  flops: () => 0,
  upgrade: attributesAsInputs("axes"),
};
