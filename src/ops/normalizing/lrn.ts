import { productOfDims } from "../../graph/dim.ts";
import { endsInUnits, type Layout } from "../../graph/layout.ts";
import { int, ints } from "../../graph/model.ts";
import { add } from "../elementwise/add.ts";
import { div } from "../elementwise/div.ts";
import { mul } from "../elementwise/mul.ts";
import { pow } from "../elementwise/pow.ts";
import { reshape } from "../moving/reshape.ts";
import { squeeze } from "../moving/squeeze.ts";
import { unsqueeze } from "../moving/unsqueeze.ts";
import { type Blocked, type Carried, input, output, tie } from "../rules/axis-rule.ts";
import { addBounds, magnitude, sumRoundoff } from "../rules/bounds.ts";
import { inferUnary } from "../rules/broadcast.ts";
import { composed } from "../rules/composed.ts";
import { zeroAtZero } from "../rules/contents.ts";
import { anything, between, hull, notANumber } from "../rules/interval.ts";
import type { Call, Operator } from "../rules/operator.ts";
import { averagePool } from "../windows/average-pool.ts";

/** Y = X / (bias + alpha / size · Σ X² over the window of channels around each)^beta. */
function constantsOf(call: Call) {
  const size = call.int("size", 0);
  if (size < 1) call.fail("size must be positive", size);
  return {
    size,
    alpha: call.float("alpha", 1e-4),
    beta: call.float("beta", 0.75),
    bias: call.float("bias", 1),
  };
}

/** Whether what is raised to the power is at least `bias`, and that is positive. */
function isSafe(call: Call): boolean {
  const { alpha, bias } = constantsOf(call);
  return alpha >= 0 && bias > 0;
}

const rules = {
  Add: add,
  AveragePool: averagePool,
  Div: div,
  Mul: mul,
  Pow: pow,
  Reshape: reshape,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
};

const { gradient, rounding, lower } = composed(rules, (call) => {
  const { graph } = call;
  const { size, alpha, beta, bias } = constantsOf(call);
  const x = call.node.inputs[0] as string;
  const before = Math.floor((size - 1) / 2);
  // The channels become a spatial axis: the mean over a window with its padding is the sum over size.
  const flat = graph.emit("Reshape", [graph.emit("Mul", [x, x]), graph.vector([0, 0, -1])]);
  const pooled = graph.emit("AveragePool", [graph.emit("Unsqueeze", [flat, graph.vector([1])])], {
    kernel_shape: ints([size, 1]),
    pads: ints([before, 0, size - 1 - before, 0]),
    count_include_pad: int(1),
  });
  const mean = graph.emit("Reshape", [
    graph.emit("Squeeze", [pooled, graph.vector([1])]),
    graph.emit("Shape", [x]),
  ]);
  const base = graph.emit("Add", [graph.emit("Mul", [mean, graph.scalar(alpha)]), graph.scalar(bias)]);
  return [graph.emit("Div", [x, graph.emit("Pow", [base, graph.scalar(beta)])])];
});

const refused: Blocked = {
  blocked: "it sums over neighboring channels, and new ones would come between old ones",
};
const atTheEnd = (layout: Layout): Carried => (endsInUnits(layout) ? layout : refused);

/**
 * X divided by a power of the mean square of the `size` channels around each. X [N, C, ...]. Beyond the last channel
 * the window has zeros, so that new channels of zeros after the last change nothing. ONNX LRN-13.
 */
export const lrn: Operator = {
  infer(call) {
    constantsOf(call);
    if (call.rank(0) < 2) call.fail("X must be [N, C, ...]", call.shape(0));
    return inferUnary(call);
  },

  gradient,

  axes: (call) => ({
    ties: call
      .shape(0)
      .map((_, axis) =>
        axis === 1
          ? { a: input(0, 1), b: output(1), forward: atTheEnd, backward: atTheEnd }
          : tie(input(0, axis), output(axis)),
      ),
    aggregates: [
      {
        at: input(0, 1),
        accepts: (held) =>
          held === "zero" ? [] : { blocked: "it sums over neighboring channels, so new ones must be zero" },
        inOrder: true,
      },
    ],
    contents: zeroAtZero,
  }),

  interval([x = anything], call) {
    const { beta, bias } = constantsOf(call);
    if (!isSafe(call) || x.holds !== "finite") return notANumber;
    if (beta < 0) return anything;
    const most = bias ** -beta;
    return hull(between(0, 0), between(x.least * most, x.most * most));
  },

  rounding(call) {
    const own = rounding(call) as readonly (string | undefined)[];
    if (!isSafe(call)) return call.unruled("has a bound for alpha ≥ 0 and bias > 0", call.node.attributes);
    // ONNX Runtime adds and subtracts one square after another along the channels, so that all of them round.
    const { graph } = call;
    const { size, alpha, beta, bias } = constantsOf(call);
    const x = call.node.inputs[0] as string;
    const total = graph.emit("ReduceSum", [graph.emit("Mul", [x, x]), graph.vector([1])], {
      keepdims: int(1),
    });
    const slope = (2.2 * alpha * Math.abs(beta)) / (size * bias ** (1 + Math.max(beta, 0)));
    const running = graph.emit("Mul", [total, sumRoundoff(call, x, [1])]);
    const moved = graph.emit("Mul", [magnitude(call, x), graph.scalar(slope)]);
    return addBounds(call, own[0], graph.emit("Mul", [moved, running]));
  },

  /** ONNX Runtime has LRN of images with as many neighbors before as after. */
  lower(call, threads) {
    const { size } = constantsOf(call);
    if (call.rank(0) === 4 && size % 2 === 1) call.graph.add(call.node);
    else lower(call, threads);
  },

  flops: (call) => productOfDims([call.int("size", 1) + 5, ...call.output(0).shape]),
};
