import { keepsInterval } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";
import { reduceExtremum } from "./reduce-extremum.ts";
import { reducedAxes } from "./reduction.ts";

/** Maxima over axes; ties share the gradient equally. ONNX ReduceMax-20. */
export const reduceMax: Operator = {
  ...reduceExtremum,
  interval(inputs, call) {
    const { axes } = reducedAxes(call);
    const shape = call.shape(0).map((size, axis) => (axes.includes(axis) ? 1 : size));
    return { ...keepsInterval(inputs, call), maximum: { of: call.node.inputs[0] as string, axes, shape } };
  },
};
