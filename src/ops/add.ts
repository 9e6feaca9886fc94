import { addBounds, relativeBound, unitRoundoff } from "./bounds.ts";
import { flowBroadcast, inferBroadcast } from "./broadcast.ts";
import { unbroadcast } from "./gradient.ts";
import type { Operator } from "./operator.ts";

/** y = a + b, broadcast. ONNX Add-14. */
export const add: Operator = {
  infer: inferBroadcast(2),
  gradient: (call) =>
    [0, 1].map((index) => (call.wants(index) ? unbroadcast(call, call.upstream, index) : undefined)),
  flow: flowBroadcast(["shift", "shift"]),
  rounding: (call) =>
    addBounds(call, ...call.inputBounds, relativeBound(call, call.node.outputs[0] as string, unitRoundoff)),
};
