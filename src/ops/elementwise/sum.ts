import { productOfDims } from "../../graph/dim.ts";
import { addBounds, magnitude, scaleBound, stretchBound, unitRoundoff } from "../rules/bounds.ts";
import { flowBroadcast, inferBroadcast } from "../rules/broadcast.ts";
import { summed } from "../rules/contents.ts";
import { unbroadcast } from "../rules/gradient.ts";
import { added } from "../rules/interval.ts";
import { given } from "../rules/interval-rules.ts";
import type { Operator, RoundingCall } from "../rules/operator.ts";

/** A bound on the sum of the inputs: the sum of their bounds, plus n roundings of the sum of magnitudes. */
export function sumBound(call: RoundingCall): string {
  const sizes = call.node.inputs.map((name) => magnitude(call, name));
  const own = scaleBound(call, addBounds(call, ...sizes), (call.node.inputs.length + 1) * unitRoundoff);
  return stretchBound(call, addBounds(call, own, ...call.inputBounds)) as string;
}

/** y = a + b + …, broadcast. ONNX Sum-13. */
export const sum: Operator = {
  infer: (call) => inferBroadcast(call.node.inputs.length)(call),
  gradient: (call) =>
    call.node.inputs.map((_, index) =>
      call.wants(index) ? unbroadcast(call, call.upstream, index) : undefined,
    ),
  axes: (call) =>
    flowBroadcast(
      call.node.inputs.map(() => "shift"),
      summed,
    )(call),
  interval: (inputs) => given(inputs).reduce(added),
  rounding: sumBound,
  flops: (call) => productOfDims([call.node.inputs.length - 1, ...call.output(0).shape]),
};
