import { addBounds, magnitude, sumRoundoff } from "../rules/bounds.ts";
import { moved } from "../rules/contents.ts";
import { anything, averaged } from "../rules/interval.ts";
import type { Operator } from "../rules/operator.ts";
import { attributesAsInputs } from "../rules/raising.ts";
import {
  flopsReduction,
  flowReduction,
  inferReduction,
  reducedAxes,
  reducedCount,
  reduceLike,
  stretchBack,
} from "./reduction.ts";

/** Means over axes. ONNX ReduceMean-18. */
export const reduceMean: Operator = {
  infer: inferReduction,
  gradient: (call) => [stretchBack(call, call.graph.emit("Div", [call.upstream, reducedCount(call)]))],
  // Copies and means leave a mean unchanged; zeros multiply it by old size / new size.
  axes: flowReduction(
    "takes the mean",
    { mean: [], copy: [], zero: [{ target: { output: 0 }, power: -1 }] },
    moved,
    true,
  ),
  interval: ([x = anything]) => averaged(x),
  rounding(call) {
    const x = call.node.inputs[0] as string;
    // The division by the count is covered by the two spare roundings of sumRoundoff.
    const own = call.graph.emit("Mul", [magnitude(call, x), sumRoundoff(call, x, reducedAxes(call).axes)]);
    return reduceLike(call, "ReduceMean", addBounds(call, own, call.inputBounds[0]) as string);
  },
  flops: flopsReduction,
  upgrade: attributesAsInputs("axes"),
};
