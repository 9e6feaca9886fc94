import { addBounds, elementwiseBound, unitRoundoff } from "../rules/bounds.ts";
import { flowThroughZero, inferUnary } from "../rules/broadcast.ts";
import { anything } from "../rules/interval.ts";
import { keepsInterval, monotone } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";

/** y = x where x > 0, α·(eˣ − 1) elsewhere (derivative at 0: α). ONNX Elu-22. */
export const elu: Operator = {
  infer: inferUnary,
  gradient(call) {
    const alpha = call.graph.scalar(call.float("alpha", 1));
    const open = call.graph.emit("Greater", [call.node.inputs[0] as string, call.graph.scalar(0)]);
    // α·eˣ = y + α where x ≤ 0.
    const slope = call.graph.emit("Add", [call.node.outputs[0] as string, alpha]);
    const damped = call.graph.emit("Mul", [call.upstream, slope]);
    return [call.graph.emit("Where", [open, call.upstream, damped])];
  },
  axes: flowThroughZero,
  interval: (inputs, call) => {
    const alpha = call.float("alpha", 1);
    if (alpha < 0) return keepsInterval([anything, ...inputs], call);
    return monotone((x) => (x > 0 ? x : alpha * Math.expm1(x)))(inputs, call);
  },
  rounding(call) {
    const alpha = Math.abs(call.float("alpha", 1));
    // eˣ − 1 cancels near 0: its error is relative to α, not to y.
    return addBounds(
      call,
      elementwiseBound(Math.max(1, alpha), 4)(call),
      call.graph.scalar(8 * alpha * unitRoundoff),
    );
  },
};
