import { productOfDims } from "../../graph/dim.ts";
import type { Attributes, ValueType } from "../../graph/model.ts";
import { int } from "../../graph/model.ts";
import { int32, int64 } from "../../tensor/tensor.ts";
import { input, output, tie } from "../rules/axis-rule.ts";
import { addBounds, magnitude, sumRoundoff } from "../rules/bounds.ts";
import { codeOfDtype } from "../rules/element-types.ts";
import type { Call, GradientCall, Operator } from "../rules/operator.ts";
import { spatialAxes } from "../windows/window.ts";
import { multiply } from "./normalization.ts";
import { logSoftmaxBound } from "./softmax.ts";

const reductionOf = (call: Call) => {
  const reduction = call.string("reduction", "mean");
  if (reduction !== "mean" && reduction !== "sum" && reduction !== "none") {
    call.fail("reduction must be mean, sum or none", reduction);
  }
  return reduction;
};

const ignored = (call: Call): number | undefined =>
  Object.hasOwn(call.node.attributes, "ignore_index") ? call.int("ignore_index", 0) : undefined;

/**
 * -log softmax(scores)[label], reduced. Scores [N, C, ...], labels [N, ...] int32 or int64; `mean` divides by the
 * number of labels that are not `ignore_index`. Output 1 is log softmax(scores). ONNX SoftmaxCrossEntropyLoss-13.
 */
export const softmaxCrossEntropyLoss: Operator = {
  infer(call) {
    const scores = call.input(0);
    const labels = call.input(1);
    if (scores.shape.length < 2 || labels.shape.length !== scores.shape.length - 1) {
      call.fail("scores [N, C, ...] need labels [N, ...]", [scores.shape, labels.shape]);
    }
    if (labels.dtype !== "int32" && labels.dtype !== "int64") {
      call.fail("labels must be int32 or int64", labels.dtype);
    }
    if (call.has(2)) call.unruled("class weights are not supported", call.node.inputs[2]);
    const loss: ValueType = {
      dtype: scores.dtype,
      shape: reductionOf(call) === "none" ? labels.shape : [],
    };
    return [loss, scores];
  },

  gradient(call) {
    const { graph } = call;
    if (call.outputGradients[1] !== undefined) {
      call.unruled("the loss must not depend on its log_prob output", call.node.outputs[1]);
    }
    const [scores, labels] = call.node.inputs as [string, string];
    const logarithms = call.node.outputs[1] ?? "";
    const softmax =
      logarithms === "" ? graph.emit("Softmax", [scores], { axis: int(1) }) : graph.emit("Exp", [logarithms]);
    const column = graph.emit("Unsqueeze", [labels, graph.vector([1])]);
    const to = { to: int(codeOfDtype(call.input(0).dtype)) };
    const oneHot = graph.emit("Cast", [graph.emit("Equal", [column, classes(call)])], to);
    const difference = graph.emit("Sub", [softmax, oneHot]);
    return [multiply(call, difference, weight(call, column, oneHot, to))];
  },

  axes(call) {
    const reason = "the classes of a loss cannot grow: a new class would change the loss";
    const others = [0, ...spatialAxes(call.rank(0))];
    const none = reductionOf(call) === "none";
    return {
      ties: others.flatMap((axis) => {
        const at = axis === 0 ? 0 : axis - 1;
        return [
          tie(input(0, axis), input(1, at)),
          ...(none ? [tie(input(1, at), output(at))] : []),
          ...((call.node.outputs[1] ?? "") === "" ? [] : [tie(input(0, axis), output(axis, 1))]),
        ];
      }),
      blocked: [{ at: input(0, 1), reason }],
    };
  },

  rounding(call) {
    const { graph } = call;
    const scores = call.node.inputs[0] as string;
    const y = graph.emit("LogSoftmax", [scores], { axis: int(1) });
    const bound = logSoftmaxBound(call, scores, y, 1);
    const row = graph.emit("ReduceMax", [bound, graph.vector([1])], { keepdims: int(0) });
    const reduction = reductionOf(call);
    if (reduction === "none") return row;
    const labels = call.node.inputs[1] as string;
    const axes = Array.from({ length: call.rank(1) }, (_, axis) => axis);
    // The mean of bounds is at most the largest of them, whichever labels are ignored.
    const over = graph.emit(reduction === "mean" ? "ReduceMax" : "ReduceSum", [row, graph.vector(axes)], {
      keepdims: int(0),
    });
    const loss = magnitude(call, call.node.outputs[0] as string);
    const twice = multiply(call, sumRoundoff(call, labels, axes), graph.scalar(2));
    return addBounds(call, over, multiply(call, loss, twice));
  },

  /**
   * ONNX Runtime has no kernel for it and expands it into eleven nodes, more than the rest of a small network
   * has.
   */
  lower(call) {
    const { graph, node } = call;
    const reduction = reductionOf(call);
    if (reduction === "none" || ignored(call) !== undefined) return graph.add(node);
    const [scores, labels] = node.inputs as [string, string];
    const [loss, logarithms = ""] = node.outputs as [string, string?];
    const write = (op: string, input: string, output: string, attributes: Attributes) => {
      graph.add({ name: output, op, domain: "", inputs: [input], outputs: [output], attributes });
      return output;
    };
    const axis = { axis: int(1) };
    const y =
      logarithms === ""
        ? graph.emit("LogSoftmax", [scores], axis)
        : write("LogSoftmax", scores, logarithms, axis);
    const column = graph.emit("Unsqueeze", [labels, graph.vector([1])]);
    const reduce = reduction === "mean" ? "ReduceMean" : "ReduceSum";
    const sum = graph.emit(reduce, [graph.emit("GatherElements", [y, column], axis)], { keepdims: int(0) });
    write("Neg", sum, loss, {});
  },

  flops: (call) => productOfDims([6, ...call.shape(0)]),
};

/** 0, 1, 2, ... of the labels' dtype, as [C, 1, ...] against labels [N, 1, ...]. */
function classes(call: GradientCall): string {
  const { graph } = call;
  const dtype = call.input(1).dtype;
  const count = call.shape(0)[1];
  const ones = new Array<number>(call.rank(0) - 2).fill(1);
  if (typeof count === "number") {
    const list = Array.from({ length: count }, (_, label) => label);
    const dims = [count, ...ones];
    return graph.constant(`classes ${dtype} ${dims.join(",")}`, () => {
      const { data } = dtype === "int32" ? int32([count], list) : int64([count], list);
      return dtype === "int32"
        ? { dtype: "int32", dims, data: data as Int32Array }
        : { dtype: "int64", dims, data: data as BigInt64Array };
    });
  }
  const zero = graph.constant("int64 0", () => int64([], [0]));
  const one = graph.constant("int64 1", () => int64([], [1]));
  const shape = graph.emit("Shape", [call.node.inputs[0] as string]);
  const range = graph.emit("Range", [zero, graph.emit("Gather", [shape, one]), one]);
  const typed = dtype === "int64" ? range : graph.emit("Cast", [range], { to: int(codeOfDtype(dtype)) });
  return ones.length === 0 ? typed : graph.emit("Reshape", [typed, graph.vector([-1, ...ones])]);
}

/** What (softmax - one-hot) is multiplied by: the upstream gradient, the mean's 1/N, 0 for ignored labels. */
function weight(
  call: GradientCall,
  column: string,
  oneHot: string,
  to: { to: ReturnType<typeof int> },
): string {
  const { graph, upstream } = call;
  const reduction = reductionOf(call);
  const skip = ignored(call);
  const spread = reduction === "none" ? graph.emit("Unsqueeze", [upstream, graph.vector([1])]) : upstream;
  if (skip === undefined) {
    if (reduction !== "mean") return spread;
    // The one-hot tensor has as many ones as there are labels: summing it takes one node, not the four that
    // turn a shape into a number.
    return graph.emit("Div", [spread, graph.emit("ReduceSum", [oneHot], { keepdims: int(0) })]);
  }
  const dtype = call.input(1).dtype;
  const excluded = graph.constant(`ignore ${dtype} ${skip}`, () =>
    dtype === "int32" ? int32([], [skip]) : int64([], [skip]),
  );
  const counts = graph.emit("Cast", [graph.emit("Not", [graph.emit("Equal", [column, excluded])])], to);
  const kept = multiply(call, counts, spread);
  if (reduction !== "mean") return kept;
  const total = graph.emit("ReduceSum", [counts], { keepdims: int(0) });
  return graph.emit("Div", [kept, total]);
}
