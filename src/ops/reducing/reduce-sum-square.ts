import { addBounds, magnitude, sumRoundoff } from "../rules/bounds.ts";
import { zeroAtZero } from "../rules/contents.ts";
import { notNegative } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";
import { attributesAsInputs } from "../rules/raising.ts";
import {
  broadcastable,
  flopsReduction,
  flowReduction,
  inferReduction,
  reducedAxes,
  reduceLike,
} from "./reduction.ts";

/** Sums of squares over axes. ONNX ReduceSumSquare-18. */
export const reduceSumSquare: Operator = {
  infer: inferReduction,
  gradient(call) {
    const { graph } = call;
    const twice = graph.emit("Mul", [call.node.inputs[0] as string, graph.scalar(2)]);
    return [graph.emit("Mul", [twice, broadcastable(call, call.upstream)])];
  },
  axes: flowReduction("sums", { zero: [], copy: [{ target: { output: 0 }, power: 1 }] }, zeroAtZero),
  interval: notNegative,
  rounding(call) {
    const { graph } = call;
    const x = call.node.inputs[0] as string;
    const [bound] = call.inputBounds;
    const size = magnitude(call, x);
    const roundoff = sumRoundoff(call, x, reducedAxes(call).axes);
    const own = graph.emit("Mul", [graph.emit("Mul", [x, x]), roundoff]);
    // |x² − x̂²| ≤ δ·(2|x̂| + δ)
    const spread = () => graph.emit("Add", [graph.emit("Add", [size, size]), bound as string]);
    const carried = bound === undefined ? undefined : graph.emit("Mul", [bound, spread()]);
    const each = addBounds(
      call,
      own,
      carried,
      bound === undefined ? undefined : graph.emit("Mul", [carried as string, roundoff]),
    );
    return reduceLike(call, "ReduceSum", each as string);
  },
  flops: flopsReduction,
  upgrade: attributesAsInputs("axes"),
};
