import { addDims, multiplyDims } from "../../graph/dim.ts";
import { addBounds, computedBound, unitRoundoff } from "../rules/bounds.ts";
import { flowBroadcast } from "../rules/broadcast.ts";
import { summed } from "../rules/contents.ts";
import { unbroadcast } from "../rules/gradient.ts";
import { added, anything, negated } from "../rules/interval.ts";
import { sameShape } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";
import { inferArithmetic } from "../rules/sizes.ts";

/** y = a − b, broadcast. ONNX Sub-14. */
export const sub: Operator = {
  infer: inferArithmetic((a, b) => addDims(a, multiplyDims(-1, b))),
  gradient: (call) => [
    call.wants(0) ? unbroadcast(call, call.upstream, 0) : undefined,
    call.wants(1) ? call.graph.emit("Neg", [unbroadcast(call, call.upstream, 1)]) : undefined,
  ],
  axes: flowBroadcast(["shift", "shift"], (inputs, { isMeanOf }) =>
    // A mean minus itself: the new units are centered.
    inputs[0] === "mean" && isMeanOf(1, 0) ? "zero" : summed(inputs),
  ),
  interval([a = anything, b = anything], call) {
    const { maximum } = b;
    const difference = added(a, negated(b));
    if (maximum === undefined || maximum.of !== call.node.inputs[0]) return difference;
    const beside = [maximum.shape, call.shape(0)].some((shape) => sameShape(shape, call.shape(1)));
    if (!beside) return difference;
    // After its own maximum is subtracted, every entry is at most 0, and the largest is 0.
    return { ...difference, most: Math.min(difference.most, 0), peak: { axes: maximum.axes, at: 0 } };
  },
  rounding: (call) => addBounds(call, ...call.inputBounds, computedBound(call, unitRoundoff)),
};
