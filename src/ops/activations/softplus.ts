import { addBounds, elementwiseBound, unitRoundoff } from "../rules/bounds.ts";
import { flowUnary, inferUnary } from "../rules/broadcast.ts";
import { monotone } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";

const relative = elementwiseBound(1, 4);

/** y = ln(1 + eˣ). ONNX Softplus-1. */
export const softplus: Operator = {
  infer: inferUnary,
  gradient(call) {
    const slope = call.graph.emit("Sigmoid", [call.node.inputs[0] as string]);
    return [call.graph.emit("Mul", [call.upstream, slope])];
  },
  axes: flowUnary,
  interval: monotone((x) => (x > 30 ? x : Math.log1p(Math.exp(x)))),
  // 1 + eˣ is rounded before its logarithm is taken: for x ≪ 0 the error is relative to 1, not to y.
  rounding: (call) => addBounds(call, relative(call), call.graph.scalar(8 * unitRoundoff)),
};
