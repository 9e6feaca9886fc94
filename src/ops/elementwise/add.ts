import { addDims } from "../../graph/dim.ts";
import { addBounds, computedBound, unitRoundoff } from "../rules/bounds.ts";
import { flowBroadcast } from "../rules/broadcast.ts";
import { summed } from "../rules/contents.ts";
import { unbroadcast } from "../rules/gradient.ts";
import { added, anything } from "../rules/interval.ts";
import type { Operator } from "../rules/operator.ts";
import { inferArithmetic } from "../rules/sizes.ts";

/** y = a + b, broadcast. ONNX Add-14. */
export const add: Operator = {
  infer: inferArithmetic(addDims),
  gradient: (call) =>
    [0, 1].map((index) => (call.wants(index) ? unbroadcast(call, call.upstream, index) : undefined)),
  axes: flowBroadcast(["shift", "shift"], summed),
  interval: ([a = anything, b = anything]) => added(a, b),
  rounding: (call) => addBounds(call, ...call.inputBounds, computedBound(call, unitRoundoff)),
};
