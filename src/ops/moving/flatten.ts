import { productOfDims } from "../../graph/dim.ts";
import { movedBound } from "../rules/bounds.ts";
import { moved } from "../rules/contents.ts";
import { groupTies } from "../rules/folding.ts";
import { shapeOf } from "../rules/gradient.ts";
import { keepsInterval } from "../rules/interval-rules.ts";
import type { Call, Operator } from "../rules/operator.ts";

/** The axis to split at: axes before it fold into axis 0, the rest into axis 1. */
function split(call: Call): number {
  const axis = call.int("axis", 1);
  return axis === call.rank(0) ? axis : call.axis(axis, call.rank(0));
}

/** Folds a tensor into two axes. ONNX Flatten-21. */
export const flatten: Operator = {
  infer(call) {
    const { dtype, shape } = call.input(0);
    const at = split(call);
    return [{ dtype, shape: [productOfDims(shape.slice(0, at)), productOfDims(shape.slice(at))] }];
  },
  gradient: (call) => [
    call.graph.emit("Reshape", [call.upstream, shapeOf(call, call.node.inputs[0] as string)]),
  ],
  axes(call) {
    const shape = call.shape(0);
    const at = split(call);
    const axes = shape.map((_, axis) => axis);
    const to = call.output(0).shape;
    const groups = [
      { from: axes.slice(0, at), to: [0] },
      { from: axes.slice(at), to: [1] },
    ];
    return { ties: groups.flatMap((group) => groupTies(group, shape, to) ?? []), contents: moved };
  },
  interval: keepsInterval,
  rounding: movedBound,
  moves: true,
  flops: () => 0,
};
