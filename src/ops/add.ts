import { addDims } from "../graph/dim.ts";
import { addBounds, computedBound, unitRoundoff } from "./bounds.ts";
import { flowBroadcast } from "./broadcast.ts";
import { summed } from "./fresh.ts";
import { unbroadcast } from "./gradient.ts";
import { added, anything } from "./interval.ts";
import type { Operator } from "./operator.ts";
import { inferArithmetic } from "./sizes.ts";

/** y = a + b, broadcast. ONNX Add-14. */
export const add: Operator = {
  infer: inferArithmetic(addDims),
  gradient: (call) =>
    [0, 1].map((index) => (call.wants(index) ? unbroadcast(call, call.upstream, index) : undefined)),
  flow: flowBroadcast(["shift", "shift"], summed),
  interval: ([a = anything, b = anything]) => added(a, b),
  rounding: (call) => addBounds(call, ...call.inputBounds, computedBound(call, unitRoundoff)),
};
