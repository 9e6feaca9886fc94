import { int } from "../../graph/model.ts";
import { zeroAtZero } from "../rules/contents.ts";
import type { GradientCall, Operator } from "../rules/operator.ts";
import { attributesAsInputs } from "../rules/raising.ts";
import {
  broadcastable,
  flopsReduction,
  flowReduction,
  inferReduction,
  reducedAxes,
  reduceLike,
} from "./reduction.ts";

/** The upstream gradient, shared equally among the entries that attain the extremum (as torch.amax does). */
function share(call: GradientCall): readonly (string | undefined)[] {
  const { graph } = call;
  const { axes } = reducedAxes(call);
  if (axes.length === 0) return [call.upstream];
  const y = broadcastable(call, call.node.outputs[0] as string);
  const attains = graph.emit("Cast", [graph.emit("Equal", [call.node.inputs[0] as string, y])], {
    to: int(1),
  });
  const count = graph.emit("ReduceSum", [attains, graph.vector(axes)], { keepdims: int(1) });
  const each = graph.emit("Div", [broadcastable(call, call.upstream), count]);
  return [graph.emit("Mul", [attains, each])];
}

/** Rules of ReduceMax and ReduceMin. */
export const reduceExtremum: Operator = {
  infer: inferReduction,
  gradient: share,
  // A mean is between the smallest and the largest entry.
  axes: flowReduction("compares", { mean: [], copy: [] }, zeroAtZero),
  rounding(call) {
    const [bound] = call.inputBounds;
    return bound === undefined ? undefined : reduceLike(call, "ReduceMax", bound);
  },
  flops: flopsReduction,
  upgrade: attributesAsInputs("axes"),
};
