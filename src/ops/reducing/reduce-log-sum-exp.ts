import { productOfDims } from "../../graph/dim.ts";
import {
  addBounds,
  magnitude,
  relativeBound,
  scaleBound,
  sumRoundoff,
  unitRoundoff,
} from "../rules/bounds.ts";
import { elementwise } from "../rules/contents.ts";
import type { Operator } from "../rules/operator.ts";
import { attributesAsInputs } from "../rules/raising.ts";
import { broadcastable, flowReduction, inferReduction, reducedAxes, reduceLike } from "./reduction.ts";

/** Logarithms of sums of exponentials over axes. ONNX ReduceLogSumExp-18. */
export const reduceLogSumExp: Operator = {
  infer: inferReduction,
  gradient(call) {
    const { graph } = call;
    const below = graph.emit("Sub", [
      call.node.inputs[0] as string,
      broadcastable(call, call.node.outputs[0] as string),
    ]);
    return [graph.emit("Mul", [graph.emit("Exp", [below]), broadcastable(call, call.upstream)])];
  },
  axes: flowReduction("sums exponentials", {}, elementwise),
  rounding(call) {
    const x = call.node.inputs[0] as string;
    const [bound] = call.inputBounds;
    // x − max x, exponentials to 4 ulps, their sum, whose relative error the logarithm makes absolute.
    const distance = scaleBound(call, reduceLike(call, "ReduceMax", magnitude(call, x)), 4 * unitRoundoff);
    const roundings = call.graph.emit("Add", [
      sumRoundoff(call, x, reducedAxes(call).axes),
      call.graph.scalar(8 * unitRoundoff),
    ]);
    return addBounds(
      call,
      bound === undefined ? undefined : reduceLike(call, "ReduceMax", bound),
      distance,
      relativeBound(call, call.node.outputs[0] as string, 4 * unitRoundoff),
      roundings,
    );
  },
  flops: (call) => productOfDims([2, ...call.shape(0)]),
  upgrade: attributesAsInputs("axes"),
};
