import { int } from "../graph/model.ts";
import { addBounds, magnitude, relativeBound, scaleBound, sumRoundoff, unitRoundoff } from "./bounds.ts";
import { flopsElementwise, inferUnary } from "./broadcast.ts";
import { type Flow, input, output, tie } from "./flow.ts";
import { multiply } from "./normalization.ts";
import type { Call, Operator, RoundingCall } from "./operator.ts";

/** The axis that sums to 1: opset 13 and later, where it is the last unless given. */
export function softmaxAxis(call: Call): number {
  return call.axis(call.int("axis", -1), call.rank(0));
}

/** Axis flow of Softmax and LogSoftmax: all axes pass but the normalised one. */
export function softmaxFlow(call: Call): Flow {
  const normalized = softmaxAxis(call);
  const reason = `${call.node.op} normalises over this axis: a new entry would change all others`;
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
 * A bound, with the shape of x but for size 1 on `axis`, on the error of x_i - max x, and of the logarithm of the sum of
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

  flow: softmaxFlow,

  rounding(call) {
    const { graph } = call;
    const y = call.node.outputs[0] as string;
    const twice = scaleBound(call, logSumBound(call, call.node.inputs[0] as string, softmaxAxis(call)), 2);
    // exp(e) - 1 <= e·exp(e); the last term covers what underflows to 0.
    const relative = multiply(call, twice as string, graph.emit("Exp", [twice as string]));
    return addBounds(call, multiply(call, y, relative), graph.scalar(1e-37));
  },

  flops: flopsElementwise(5),
};

/** The bound of log softmax, elementwise: that of x_i, and that of the logarithm of the sum. */
export function logSoftmaxBound(call: RoundingCall, x: string, y: string, axis: number): string {
  const sum = scaleBound(call, logSumBound(call, x, axis), 2);
  return addBounds(call, relativeBound(call, y, 4 * unitRoundoff), sum) as string;
}
