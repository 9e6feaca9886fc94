import { productOfDims } from "../../graph/dim.ts";
import { int, type ValueType } from "../../graph/model.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { addBounds, computedBound, magnitude, sumRoundoff } from "../rules/bounds.ts";
import { zeroAtZero } from "../rules/contents.ts";
import { anything, between, notANumber } from "../rules/interval.ts";
import type { Operator } from "../rules/operator.ts";
import { attributesAsInputs } from "../rules/raising.ts";
import { sized, sizesOf } from "../rules/sizes.ts";
import {
  broadcastable,
  flopsReduction,
  flowReduction,
  inferReduction,
  reducedAxes,
  reduceLike,
} from "./reduction.ts";

/** Products over axes, mostly of sizes. ONNX ReduceProd-18. */
export const reduceProd: Operator = {
  infer(call) {
    const [type] = inferReduction(call) as [ValueType];
    const sizes = call.rank(0) === 1 && reducedAxes(call).axes.length === 1 ? sizesOf(call, 0) : undefined;
    return [sized(type, sizes === undefined ? undefined : [productOfDims(sizes)])];
  },
  // y / x for x that may be 0: the product of all other entries, which is 0 if one of them is.
  gradient(call) {
    const { graph } = call;
    const x = call.node.inputs[0] as string;
    const { axes } = reducedAxes(call);
    if (axes.length === 0) return [call.upstream];
    const over = graph.vector(axes);
    const isZero = graph.emit("Equal", [x, graph.scalar(0)]);
    const zero = graph.emit("Cast", [isZero], { to: int(1) });
    const filled = graph.emit("Where", [isZero, graph.scalar(1), x]);
    const product = graph.emit("ReduceProd", [filled, over], { keepdims: int(1) });
    const zeros = graph.emit("ReduceSum", [zero, over], { keepdims: int(1) });
    const alone = graph.emit("Equal", [graph.emit("Sub", [zeros, zero]), graph.scalar(0)]);
    const others = graph.emit("Where", [alone, graph.emit("Div", [product, filled]), graph.scalar(0)]);
    return [graph.emit("Mul", [others, broadcastable(call, call.upstream)])];
  },
  axes: flowReduction("multiplies", {}, zeroAtZero),
  // A product of thirty 20s overflows float32, and infinity times zero is NaN.
  interval: ([x = anything]) => (x.least >= -1 && x.most <= 1 ? between(-1, 1) : notANumber),
  rounding(call) {
    if (!isFloat(call.output(0).dtype)) return undefined;
    const x = call.node.inputs[0] as string;
    const [bound] = call.inputBounds;
    const y = magnitude(call, call.node.outputs[0] as string);
    const own = call.graph.emit("Mul", [y, sumRoundoff(call, x, reducedAxes(call).axes)]);
    if (bound === undefined) return own;
    // |∏xᵢ − ∏x̂ᵢ| ≤ ∏(|x̂ᵢ| + δᵢ) − ∏|x̂ᵢ|; the roundoff of that difference itself is covered by a second `own`.
    const most = reduceLike(call, "ReduceProd", addBounds(call, magnitude(call, x), bound) as string);
    const slack = call.graph.emit("Mul", [most, sumRoundoff(call, x, reducedAxes(call).axes)]);
    return addBounds(call, call.graph.emit("Sub", [most, y]), own, slack, computedBound(call, 2 ** -23));
  },
  flops: flopsReduction,
  upgrade: attributesAsInputs("axes"),
};
