import { productOfDims } from "../../graph/dim.ts";
import { addBounds, magnitude, sumRoundoff } from "../rules/bounds.ts";
import { moved } from "../rules/contents.ts";
import { elementCount } from "../rules/element-count.ts";
import { shapeOf } from "../rules/gradient.ts";
import { keepsInterval } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";
import { poolFlow } from "./pool.ts";
import { spatialAxes } from "./window.ts";

/** The mean over all spatial axes, which are kept with size 1. ONNX GlobalAveragePool-1. */
export const globalAveragePool: Operator = {
  infer(call) {
    const { dtype, shape } = call.input(0);
    if (shape.length < 3) call.fail("X needs at least one spatial axis", shape);
    return [{ dtype, shape: [...shape.slice(0, 2), ...shape.slice(2).map(() => 1)] }];
  },

  gradient(call) {
    const x = call.node.inputs[0] as string;
    const count = elementCount(call, x, spatialAxes(call.rank(0)));
    const shared = call.graph.emit("Div", [call.upstream, count]);
    return [call.graph.emit("Expand", [shared, shapeOf(call, x)])];
  },

  axes: (call) => poolFlow(call, moved),

  interval: keepsInterval,
  rounding(call) {
    const x = call.node.inputs[0] as string;
    const roundoff = sumRoundoff(call, x, spatialAxes(call.rank(0)));
    const mean = (name: string) => call.graph.emit("GlobalAveragePool", [name]);
    // Twice the roundoff of the sum covers the division and the computation of the bound itself.
    const own = call.graph.emit("Mul", [
      mean(magnitude(call, x)),
      call.graph.emit("Add", [roundoff, roundoff]),
    ]);
    const bound = call.inputBounds[0];
    return addBounds(call, own, bound === undefined ? undefined : mean(bound));
  },

  flops: (call) => productOfDims(call.shape(0)),
};
