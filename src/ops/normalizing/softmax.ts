import { int, type Node } from "../../graph/model.ts";
import { type AxisRule, input, output, tie } from "../rules/axis-rule.ts";
import {
  addBounds,
  magnitude,
  relativeBound,
  scaleBound,
  sumRoundoff,
  tiniest,
  unitRoundoff,
} from "../rules/bounds.ts";
import { flopsElementwise, inferUnary } from "../rules/broadcast.ts";
import { alwaysBetween } from "../rules/interval-rules.ts";
import type { Call, Operator, RoundingCall, UpgradeCall } from "../rules/operator.ts";
import { multiply } from "./normalization.ts";

/** The axis that sums to 1, in opset 13 and later: the last one unless given. */
export function softmaxAxis(call: Call): number {
  return call.axis(call.int("axis", -1), call.rank(0));
}

/** Before opset 13, all axes from `axis` (1 unless given) onward together sum to 1. */
export function raiseSoftmax(call: UpgradeCall): Node {
  const { node, graph } = call;
  if (call.opset >= 13) return node;
  const shape = call.shape(0);
  const first = call.axis(call.int("axis", 1), shape.length);
  if (shape.slice(first + 1).every((size) => size === 1)) {
    return { ...node, attributes: { axis: int(first) } };
  }
  const x = node.inputs[0] as string;
  const flat = graph.emit("Flatten", [x], { axis: int(first) });
  const normalized = graph.emit(node.op, [flat], { axis: int(1) });
  return { ...node, op: "Reshape", inputs: [normalized, graph.emit("Shape", [x])], attributes: {} };
}

/** Axis flow of Softmax and LogSoftmax: all axes pass except the normalized one. */
export function softmaxFlow(call: Call): AxisRule {
  const normalized = softmaxAxis(call);
  const reason = `${call.node.op} normalizes over this axis: a new entry would change all others`;
  return {
    ties: call
      .shape(0)
      .flatMap((_, axis) => (axis === normalized ? [] : [tie(input(0, axis), output(axis))])),
    blocked: [
      { at: input(0, normalized), reason },
      { at: output(normalized), reason },
    ],
  };
}

/**
 * A bound, shaped like x except for size 1 on `axis`, on the error of x_i - max x, and of the logarithm of the sum of
 * exponentials, in float32: the inputs' bounds, the rounding of the differences, exponentials to 4 ulps, the sum.
 */
export function logSumBound(call: RoundingCall, x: string, axis: number): string {
  const { graph } = call;
  const over = graph.vector([axis]);
  const largest = (value: string) => graph.emit("ReduceMax", [value, over], { keepdims: int(1) });
  const size = largest(magnitude(call, x));
  const roundings = graph.emit("Add", [sumRoundoff(call, x, [axis]), graph.scalar(8 * unitRoundoff)]);
  const bound = call.inputBounds[0];
  return addBounds(
    call,
    bound === undefined ? undefined : largest(bound),
    scaleBound(call, size, 4 * unitRoundoff),
    roundings,
  ) as string;
}

/** exp(x) / sum of exp(x) over `axis`. ONNX Softmax-13. */
export const softmax: Operator = {
  infer(call) {
    softmaxAxis(call);
    return inferUnary(call);
  },

  gradient(call) {
    const { graph, upstream } = call;
    const y = call.node.outputs[0] as string;
    const weighted = multiply(call, upstream, y);
    const sum = graph.emit("ReduceSum", [weighted, graph.vector([softmaxAxis(call)])], { keepdims: int(1) });
    return [graph.emit("Sub", [weighted, multiply(call, y, sum)])];
  },

  axes: softmaxFlow,
  upgrade: raiseSoftmax,

  link: (call) => ({ name: "softmax", axis: softmaxAxis(call) }),
  interval: alwaysBetween(0, 1),
  rounding(call) {
    return softmaxBound(call, call.node.inputs[0] as string, softmaxAxis(call));
  },

  flops: flopsElementwise(5),
};

/**
 * The bound of softmax by interval arithmetic: every exponential is between exp(d - e) and exp(d + e), where
 * d is the distance from the largest entry and e its bound, so the quotient is between those of the ends. An
 * entry that a mask has made very negative stays at 0, however large its own bound is.
 */
function softmaxBound(call: RoundingCall, x: string, axis: number): string {
  const { graph } = call;
  const y = call.node.outputs[0] as string;
  const over = graph.vector([axis]);
  const scalar = (value: number) => graph.scalar(value);
  const sum = (value: string) => graph.emit("ReduceSum", [value, over], { keepdims: int(1) });
  // A mask's -inf, and the bound of a sum that contains it, would turn into NaN here.
  const finite = graph.emit("Max", [x, scalar(-3e38)]);
  const largest = graph.emit("ReduceMax", [finite, over], { keepdims: int(1) });
  const distance = graph.emit("Sub", [finite, largest]);
  const given = call.inputBounds[0];
  const rounded = relativeBound(call, distance, 4 * unitRoundoff);
  const error =
    given === undefined ? rounded : graph.emit("Add", [rounded, graph.emit("Min", [given, scalar(1e37)])]);
  const high = graph.emit("Exp", [graph.emit("Add", [distance, error])]);
  const low = graph.emit("Exp", [graph.emit("Sub", [distance, error])]);
  // Exponentials to 4 ulps, the sum, the quotient, and all of these again for this computation.
  const roundings = scaleBound(
    call,
    graph.emit("Add", [sumRoundoff(call, x, [axis]), scalar(10 * unitRoundoff)]),
    2,
  );
  const up = graph.emit("Add", [scalar(1), roundings as string]);
  const least = graph.emit("Max", [sum(low), scalar(tiniest)]);
  const above = graph.emit("Sub", [multiply(call, graph.emit("Div", [high, least]), up), y]);
  const below = graph.emit("Sub", [y, graph.emit("Div", [graph.emit("Div", [low, sum(high)]), up])]);
  // The last term covers exponentials that underflow to 0.
  return graph.emit("Add", [graph.emit("Max", [above, below]), scalar(1e-37)]);
}

/** The bound of log softmax, elementwise: that of x_i, and that of the logarithm of the sum. */
export function logSoftmaxBound(call: RoundingCall, x: string, y: string, axis: number): string {
  const sum = scaleBound(call, logSumBound(call, x, axis), 2);
  return addBounds(call, relativeBound(call, y, 4 * unitRoundoff), sum) as string;
}
