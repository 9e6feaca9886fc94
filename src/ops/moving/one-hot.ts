import { int } from "../../graph/model.ts";
import { float32 } from "../../tensor/tensor.ts";
import { input, output, tie } from "../rules/axis-rule.ts";
import { elementwise } from "../rules/contents.ts";
import type { Call, GradientCall, Operator } from "../rules/operator.ts";
import { sizesOf, unknownSize } from "../rules/sizes.ts";

const axisOf = (call: Call) => call.axis(call.int("axis", -1), call.rank(0) + 1);

/** [sum of the gradient over the off entries, sum over the on entries] */
function gradientOfValues(call: GradientCall): string {
  const { graph, upstream } = call;
  const [indices, depth] = call.node.inputs as [string, string];
  const marks = graph.constant("off and on", () => float32([2], [0, 1]));
  const on = graph.emit("OneHot", [indices, depth, marks], call.node.attributes);
  const sum = (value: string) => graph.emit("ReduceSum", [value], { keepdims: int(0) });
  const lit = sum(graph.emit("Mul", [upstream, on]));
  const both = [graph.emit("Sub", [sum(upstream), lit]), lit];
  return graph.emit(
    "Concat",
    both.map((value) => graph.emit("Unsqueeze", [value, graph.vector([0])])),
    { axis: int(0) },
  );
}

/** A new axis of size `depth` with values[1] at the index and values[0] elsewhere. ONNX OneHot-11. */
export const oneHot: Operator = {
  infer(call) {
    const indices = call.shape(0);
    const axis = axisOf(call);
    const depth = sizesOf(call, 1)?.[0] ?? unknownSize(call, axis);
    return [
      { dtype: call.input(2).dtype, shape: [...indices.slice(0, axis), depth, ...indices.slice(axis)] },
    ];
  },
  gradient: (call) => [undefined, undefined, call.wants(2) ? gradientOfValues(call) : undefined],
  axes(call) {
    const axis = axisOf(call);
    return {
      ties: call.shape(0).map((_, at) => tie(input(0, at), output(at < axis ? at : at + 1))),
      blocked: [{ at: output(axis), reason: "OneHot counts along it" }],
      contents: elementwise,
    };
  },
  literals: { always: [2] },
  rounding(call) {
    const { graph } = call;
    const [, , bound] = call.inputBounds;
    if (bound === undefined) return undefined;
    const [indices, depth] = call.node.inputs as [string, string];
    return graph.emit("OneHot", [indices, depth, bound], call.node.attributes);
  },
  flops: () => 0,
};
