import { isFloat } from "../../tensor/dtype.ts";
import { addBounds, magnitude, sumRoundoff } from "../rules/bounds.ts";
import { moved } from "../rules/contents.ts";
import { anything, summedUp } from "../rules/interval.ts";
import type { Operator } from "../rules/operator.ts";
import { attributesAsInputs } from "../rules/raising.ts";
import {
  flopsReduction,
  flowReduction,
  inferReduction,
  reducedAxes,
  reduceLike,
  stretchBack,
} from "./reduction.ts";

/** Sums over axes. ONNX ReduceSum-13. */
export const reduceSum: Operator = {
  infer: inferReduction,
  gradient: (call) => [stretchBack(call, call.upstream)],
  // If every unit is copied equally often, the sum is new size / old size times as large.
  axes: flowReduction("sums", { zero: [], copy: [{ target: { output: 0 }, power: 1 }] }, moved),
  interval([x = anything], call) {
    const sum = summedUp(x);
    const { axes } = reducedAxes(call);
    // The sum of nonnegative entries is at least the largest of them.
    const over = x.least >= 0 && x.peak?.axes.every((axis) => axes.includes(axis)) ? x.peak.at : sum.least;
    return { ...sum, least: Math.max(sum.least, over) };
  },
  rounding(call) {
    if (!isFloat(call.output(0).dtype)) return undefined;
    const x = call.node.inputs[0] as string;
    const own = call.graph.emit("Mul", [magnitude(call, x), sumRoundoff(call, x, reducedAxes(call).axes)]);
    return reduceLike(call, "ReduceSum", addBounds(call, own, call.inputBounds[0]) as string);
  },
  flops: flopsReduction,
  upgrade: attributesAsInputs("axes"),
};
