import { int, text } from "../../graph/model.ts";
import { input, output, tie } from "../rules/axis-rule.ts";
import { movedBound } from "../rules/bounds.ts";
import { elementwise } from "../rules/contents.ts";
import { zerosLike } from "../rules/gradient.ts";
import { keepsInterval } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";

/** y[i, j, …] = data[…, indices[i, j, …], …], looked up along an axis. ONNX GatherElements-13. */
export const gatherElements: Operator = {
  infer: (call) => [{ dtype: call.input(0).dtype, shape: call.shape(1) }],
  gradient(call) {
    const [data, indices] = call.node.inputs as [string, string];
    const axis = int(call.axis(call.int("axis", 0), call.rank(0)));
    const zeros = zerosLike(call, data);
    return [
      call.graph.emit("ScatterElements", [zeros, indices, call.upstream], { axis, reduction: text("add") }),
    ];
  },
  axes(call) {
    const along = call.axis(call.int("axis", 0), call.rank(0));
    const axes = call.shape(0).map((_, axis) => axis);
    // If the indices cover only part of an axis, the positions that they miss could not grow along.
    const alike = axes.filter((axis) => axis !== along && call.shape(0)[axis] === call.shape(1)[axis]);
    return {
      ties: [
        ...alike.map((axis) => tie(input(0, axis), output(axis))),
        ...[along, ...alike].map((axis) => tie(input(1, axis), output(axis))),
      ],
      blocked: [{ at: input(0, along), reason: "GatherElements indexes it by position" }],
      contents: ([data, at]) => (data === "zero" ? "zero" : elementwise([data, at])),
    };
  },
  interval: keepsInterval,
  rounding: movedBound,
  flops: () => 0,
};
