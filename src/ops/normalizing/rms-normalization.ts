import { productOfDims } from "../../graph/dim.ts";
import { int } from "../../graph/model.ts";
import { add } from "../elementwise/add.ts";
import { div } from "../elementwise/div.ts";
import { mul } from "../elementwise/mul.ts";
import { sqrt } from "../elementwise/sqrt.ts";
import { reduceMean } from "../reducing/reduce-mean.ts";
import { input, output, tie } from "../rules/axis-rule.ts";
import { composed } from "../rules/composed.ts";
import { elementwise } from "../rules/contents.ts";
import type { Call, Operator } from "../rules/operator.ts";
import { epsilonOf } from "./normalization.ts";

/** The normalized axes: from `axis` on. */
function axesOf(call: Call): number[] {
  const rank = call.rank(0);
  const first = call.axis(call.int("axis", -1), rank);
  return Array.from({ length: rank - first }, (_, at) => first + at);
}

const rules = { Add: add, Div: div, Mul: mul, ReduceMean: reduceMean, Sqrt: sqrt };

/** Y = Scale·X / sqrt(mean(X²) + epsilon), over the axes from `axis` on. ONNX RMSNormalization-23. */
export const rmsNormalization: Operator = {
  infer(call) {
    axesOf(call);
    const { dtype, shape } = call.input(0);
    if (call.rank(1) > shape.length) call.fail("scale must broadcast over X", [shape, call.shape(1)]);
    return [{ dtype, shape }];
  },

  ...composed(rules, (call) => {
    const { graph } = call;
    const [x, scale] = call.node.inputs as [string, string];
    const square = graph.emit("Mul", [x, x]);
    const mean = graph.emit("ReduceMean", [square, graph.vector(axesOf(call))], { keepdims: int(1) });
    const root = graph.emit("Sqrt", [graph.emit("Add", [mean, graph.scalar(epsilonOf(call))])]);
    return [graph.emit("Mul", [graph.emit("Div", [x, root]), scale])];
  }),

  axes(call) {
    const shape = call.shape(0);
    const axes = axesOf(call);
    const scales = call.shape(1).flatMap((dim, axis) => {
      const out = axis + shape.length - call.rank(1);
      return dim === shape[out] ? [{ at: input(1, axis), out }] : [];
    });
    return {
      ties: [
        ...shape.map((_, axis) => tie(input(0, axis), output(axis))),
        ...scales.map(({ at, out }) => tie(at, output(out))),
      ],
      roles: scales.map(({ at }) => ({ at, role: "scale" as const })),
      aggregates: axes.map((axis) => ({
        at: input(0, axis),
        accepts: (held) => {
          if (held === "copy") return [];
          if (held !== "zero" || axes.length > 1)
            return { blocked: "RMSNormalization computes a mean square over it" };
          // New zeros multiply the mean square by old size / new size.
          return [
            { target: { input: 1 }, power: 0.5 },
            { target: { attribute: "epsilon", otherwise: 1e-5 }, power: 1 },
          ];
        },
      })),
      contents: ([x, scale]) => {
        const held = elementwise([x, scale]);
        return (x === "zero" || scale === "zero") && typeof held === "string" ? "zero" : held;
      },
    };
  },

  flops: (call) => productOfDims([5, ...call.output(0).shape]),
};
