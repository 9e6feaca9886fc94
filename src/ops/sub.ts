import { addDims, multiplyDims } from "../graph/dim.ts";
import { addBounds, computedBound, unitRoundoff } from "./bounds.ts";
import { flowBroadcast } from "./broadcast.ts";
import { summed } from "./fresh.ts";
import { unbroadcast } from "./gradient.ts";
import type { Operator } from "./operator.ts";
import { inferArithmetic } from "./sizes.ts";

/** y = a − b, broadcast. ONNX Sub-14. */
export const sub: Operator = {
  infer: inferArithmetic((a, b) => addDims(a, multiplyDims(-1, b))),
  gradient: (call) => [
    call.wants(0) ? unbroadcast(call, call.upstream, 0) : undefined,
    call.wants(1) ? call.graph.emit("Neg", [unbroadcast(call, call.upstream, 1)]) : undefined,
  ],
  flow: flowBroadcast(["shift", "shift"], (inputs, { isMeanOf }) =>
    // What is left of a mean that is centred.
    inputs[0] === "mean" && isMeanOf(1, 0) ? "zero" : summed(inputs),
  ),
  rounding: (call) => addBounds(call, ...call.inputBounds, computedBound(call, unitRoundoff)),
};
