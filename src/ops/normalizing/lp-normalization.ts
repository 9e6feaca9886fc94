import { productOfDims } from "../../graph/dim.ts";
import { int } from "../../graph/model.ts";
import { div } from "../elementwise/div.ts";
import { max } from "../elementwise/max.ts";
import { reduceL1 } from "../reducing/reduce-l1.ts";
import { reduceL2 } from "../reducing/reduce-l2.ts";
import { input, output, tie } from "../rules/axis-rule.ts";
import { tiniest } from "../rules/bounds.ts";
import { inferUnary } from "../rules/broadcast.ts";
import { composed } from "../rules/composed.ts";
import { zeroAtZero } from "../rules/contents.ts";
import { alwaysBetween } from "../rules/interval-rules.ts";
import type { Call, Operator } from "../rules/operator.ts";

const axisOf = (call: Call) => call.axis(call.int("axis", -1), call.rank(0));

function order(call: Call): 1 | 2 {
  const p = call.int("p", 2);
  return p === 1 || p === 2 ? p : call.fail("p must be 1 or 2", p);
}

const rules = { Div: div, Max: max, ReduceL1: reduceL1, ReduceL2: reduceL2 };
const { gradient, rounding } = composed(rules, (call) => {
  const { graph } = call;
  const x = call.node.inputs[0] as string;
  const length = graph.emit(`ReduceL${order(call)}`, [x, graph.vector([axisOf(call)])], { keepdims: int(1) });
  return [graph.emit("Div", [x, graph.emit("Max", [length, graph.scalar(tiniest)])])];
});

/**
 * X divided by its length (for p = 1, by the sum of its magnitudes) along an axis; zeros stay zeros. ONNX
 * LpNormalization-22.
 */
export const lpNormalization: Operator = {
  infer(call) {
    order(call);
    axisOf(call);
    return inferUnary(call);
  },
  gradient,
  axes: (call) => ({
    ties: call.shape(0).map((_, axis) => tie(input(0, axis), output(axis))),
    aggregates: [
      {
        at: input(0, axisOf(call)),
        accepts: (held) => {
          if (held === "zero") return [];
          // With copies, the vector of units is longer than before.
          if (held === "copy") return [{ target: { output: 0 }, power: -1 / order(call) }];
          return { blocked: "LpNormalization computes a length over it" };
        },
      },
    ],
    contents: zeroAtZero,
  }),
  interval: alwaysBetween(-1, 1),
  rounding,
  flops: (call) => productOfDims([3, ...call.output(0).shape]),
};
