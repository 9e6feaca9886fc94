import { addBounds, magnitude, sumRoundoff, tiniest } from "../rules/bounds.ts";
import { zeroAtZero } from "../rules/contents.ts";
import { notNegative } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";
import { attributesAsInputs } from "../rules/raising.ts";
import {
  broadcastable,
  flopsReduction,
  flowReduction,
  inferReduction,
  reducedAxes,
  reduceLike,
} from "./reduction.ts";

/** Euclidean lengths over axes; the gradient of the length 0 is 0. ONNX ReduceL2-18. */
export const reduceL2: Operator = {
  infer: inferReduction,
  gradient(call) {
    const { graph } = call;
    const length = graph.emit("Max", [
      broadcastable(call, call.node.outputs[0] as string),
      graph.scalar(tiniest),
    ]);
    const each = graph.emit("Div", [broadcastable(call, call.upstream), length]);
    return [graph.emit("Mul", [call.node.inputs[0] as string, each])];
  },
  // If every unit is copied equally often, the vector is √(new size / old size) times as long.
  axes: flowReduction(
    "takes the length",
    { zero: [], copy: [{ target: { output: 0 }, power: 0.5 }] },
    zeroAtZero,
  ),
  interval: notNegative,
  rounding(call) {
    const x = call.node.inputs[0] as string;
    const roundoff = sumRoundoff(call, x, reducedAxes(call).axes);
    const own = call.graph.emit("Mul", [magnitude(call, call.node.outputs[0] as string), roundoff]);
    // Lengths differ by at most the length of the difference, which is itself computed with roundings.
    const [bound] = call.inputBounds;
    if (bound === undefined) return own;
    const length = reduceLike(call, "ReduceL2", bound);
    return addBounds(call, own, length, call.graph.emit("Mul", [length, roundoff]));
  },
  flops: flopsReduction,
  upgrade: attributesAsInputs("axes"),
};
