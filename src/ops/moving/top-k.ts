import { int, text } from "../../graph/model.ts";
import { input, output, tie } from "../rules/axis-rule.ts";
import { elementwise } from "../rules/contents.ts";
import { zerosLike } from "../rules/gradient.ts";
import { keepsInterval } from "../rules/interval-rules.ts";
import type { Call, Operator } from "../rules/operator.ts";
import { attributesAsInputs } from "../rules/raising.ts";
import { sizesOf, unknownSize } from "../rules/sizes.ts";

const axisOf = (call: Call) => call.axis(call.int("axis", -1), call.rank(0));

/** The largest (or smallest) entries along an axis, and their positions. ONNX TopK-24. */
export const topK: Operator = {
  infer(call) {
    const { dtype, shape } = call.input(0);
    const axis = axisOf(call);
    const count = sizesOf(call, 1)?.[0] ?? unknownSize(call, axis);
    const picked = shape.map((dim, at) => (at === axis ? count : dim));
    return [
      { dtype, shape: picked },
      { dtype: "int64", shape: picked },
    ];
  },
  gradient(call) {
    const { graph, outputGradients } = call;
    const [given] = outputGradients;
    if (given === undefined) return [undefined];
    const x = call.node.inputs[0] as string;
    const positions = call.node.outputs[1] as string;
    return [
      graph.emit("ScatterElements", [zerosLike(call, x), positions, given], {
        axis: int(axisOf(call)),
        reduction: text("add"),
      }),
    ];
  },
  axes(call) {
    const axis = axisOf(call);
    const outputs = [0, 1];
    const reason = "TopK picks from it, so new units would compete with the old ones";
    return {
      ties: call
        .shape(0)
        .flatMap((_, at) =>
          at === axis ? [] : outputs.map((index) => tie(input(0, at), output(at, index))),
        ),
      blocked: [input(0, axis), ...outputs.map((index) => output(axis, index))].map((at) => ({ at, reason })),
      // Among zeros the positions are not zero.
      contents: elementwise,
    };
  },
  interval: keepsInterval,
  rounding(call) {
    const { graph } = call;
    const [bound] = call.inputBounds;
    if (bound === undefined) return undefined;
    const axis = axisOf(call);
    // The k-th largest changes by no more than the largest change of an entry; its position may become any.
    const most = graph.emit("ReduceMax", [bound, graph.vector([axis])], { keepdims: int(1) });
    const size = graph.emit("Shape", [call.node.inputs[0] as string], {
      start: int(axis),
      end: int(axis + 1),
    });
    const positions = graph.emit("Cast", [size], { to: int(1) });
    return call.node.outputs.map((name, index) =>
      name === ""
        ? undefined
        : graph.emit("Expand", [index === 0 ? most : positions, graph.emit("Shape", [name])]),
    );
  },
  upgrade: attributesAsInputs("k"),
};
