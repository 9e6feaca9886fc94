import { scaleBound } from "../rules/bounds.ts";
import { unbroadcast } from "../rules/gradient.ts";
import { averaged } from "../rules/interval.ts";
import { hullOfAll } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";
import { sum, sumBound } from "./sum.ts";

/** y = (a + b + …) / n, broadcast. ONNX Mean-13. */
export const mean: Operator = {
  ...sum,
  gradient(call) {
    const share = 1 / call.node.inputs.length;
    const each = call.graph.emit("Mul", [call.upstream, call.graph.scalar(share)]);
    return call.node.inputs.map((_, index) =>
      call.wants(index) ? unbroadcast(call, each, index) : undefined,
    );
  },
  interval: (inputs) => averaged(hullOfAll(inputs)),
  // The division adds one rounding, of at most the mean of the magnitudes, which the slack in the sum's bound
  // covers.
  rounding: (call) => scaleBound(call, sumBound(call), 1.5 / call.node.inputs.length),
};
