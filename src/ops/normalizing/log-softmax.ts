import { int } from "../../graph/model.ts";
import { flopsElementwise } from "../rules/broadcast.ts";
import { alwaysBetween } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";
import { multiply } from "./normalization.ts";
import { logSoftmaxBound, raiseSoftmax, softmax, softmaxAxis, softmaxFlow } from "./softmax.ts";

/** x - log(sum of exp(x)) over `axis`. ONNX LogSoftmax-13. */
export const logSoftmax: Operator = {
  infer: softmax.infer,

  gradient(call) {
    const { graph, upstream } = call;
    const y = call.node.outputs[0] as string;
    const sum = graph.emit("ReduceSum", [upstream, graph.vector([softmaxAxis(call)])], { keepdims: int(1) });
    return [graph.emit("Sub", [upstream, multiply(call, graph.emit("Exp", [y]), sum)])];
  },

  axes: softmaxFlow,
  upgrade: raiseSoftmax,

  link: (call) => ({ name: "logSoftmax", axis: softmaxAxis(call) }),
  interval: alwaysBetween(Number.NEGATIVE_INFINITY, 0),
  rounding(call) {
    const [x, y] = [call.node.inputs[0] as string, call.node.outputs[0] as string];
    return logSoftmaxBound(call, x, y, softmaxAxis(call));
  },

  flops: flopsElementwise(5),
};
