import { addBounds, magnitude, sumRoundoff } from "../rules/bounds.ts";
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

/** Sums of magnitudes over axes. ONNX ReduceL1-18. */
export const reduceL1: Operator = {
  infer: inferReduction,
  gradient(call) {
    const sign = call.graph.emit("Sign", [call.node.inputs[0] as string]);
    return [call.graph.emit("Mul", [sign, broadcastable(call, call.upstream)])];
  },
  axes: flowReduction("sums", { zero: [], copy: [{ target: { output: 0 }, power: 1 }] }, zeroAtZero),
  interval: notNegative,
  rounding(call) {
    const x = call.node.inputs[0] as string;
    const own = call.graph.emit("Mul", [magnitude(call, x), sumRoundoff(call, x, reducedAxes(call).axes)]);
    return reduceLike(call, "ReduceL1", addBounds(call, own, call.inputBounds[0]) as string);
  },
  flops: flopsReduction,
  upgrade: attributesAsInputs("axes"),
};
