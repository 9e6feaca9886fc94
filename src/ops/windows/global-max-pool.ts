import { isConcrete, productOfDims, type Shape } from "../../graph/dim.ts";
import { zeroAtZero } from "../rules/contents.ts";
import { keepsInterval } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";
import { globalAveragePool } from "./global-average-pool.ts";
import { globalPoolAttributes, gradientByIndices } from "./max-pool.ts";
import { poolFlow } from "./pool.ts";
import { sizesRemedy } from "./window.ts";

/** The largest element over all spatial axes, which are kept with size 1. ONNX GlobalMaxPool-1. */
export const globalMaxPool: Operator = {
  infer: globalAveragePool.infer,

  gradient(call) {
    const sizes: Shape = call.shape(0).slice(2);
    const spatial = isConcrete(sizes)
      ? sizes
      : call.unruled("its gradient needs spatial sizes that are numbers", sizes, sizesRemedy);
    return [gradientByIndices(call, globalPoolAttributes(spatial))];
  },

  axes: (call) => poolFlow(call, zeroAtZero),

  interval: keepsInterval,
  rounding(call) {
    const bound = call.inputBounds[0];
    return bound === undefined ? undefined : call.graph.emit("GlobalMaxPool", [bound]);
  },

  flops: (call) => productOfDims(call.shape(0)),
  maximum: true,
};
