import { productOfDims } from "../../graph/dim.ts";
import { int } from "../../graph/model.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { stretchBound } from "../rules/bounds.ts";
import { flowBroadcast, inferBroadcast } from "../rules/broadcast.ts";
import { unbroadcast } from "../rules/gradient.ts";
import type { GradientCall, Operator } from "../rules/operator.ts";

/** dL/d(input): the upstream gradient, shared equally among the inputs that attain the extremum. */
function share(call: GradientCall): readonly (string | undefined)[] {
  const { graph } = call;
  const y = call.node.outputs[0] as string;
  if (call.node.inputs.length === 1) return [call.upstream];
  const attains = call.node.inputs.map((name) =>
    graph.emit("Cast", [graph.emit("Equal", [name, y])], { to: int(1) }),
  );
  const count = attains.reduce((sum, one) => graph.emit("Add", [sum, one]));
  const each = graph.emit("Div", [call.upstream, count]);
  return attains.map((one, index) =>
    call.wants(index) ? unbroadcast(call, graph.emit("Mul", [each, one]), index) : undefined,
  );
}

/** Rules of Max and Min over any number of inputs, broadcast. */
export const extremum: Operator = {
  infer: (call) => inferBroadcast(call.node.inputs.length)(call),
  gradient: share,
  axes: (call) => flowBroadcast(call.node.inputs.map(() => "shift"))(call),
  rounding(call) {
    if (!isFloat(call.output(0).dtype)) return undefined;
    // |max aᵢ − max âᵢ| ≤ max δᵢ, and the same for the minimum.
    const bounds = call.inputBounds.filter((bound) => bound !== undefined);
    if (bounds.length === 0) return undefined;
    return stretchBound(call, bounds.length === 1 ? bounds[0] : call.graph.emit("Max", bounds));
  },
  flops: (call) => productOfDims([call.node.inputs.length - 1, ...call.output(0).shape]),
};
