import { elementwiseBound } from "../rules/bounds.ts";
import { flowThroughZero, inferUnary } from "../rules/broadcast.ts";
import { alwaysBetween } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";

/** y = x / (1 + |x|). ONNX Softsign-22. */
export const softsign: Operator = {
  infer: inferUnary,
  // y′ = 1 / (1 + |x|)²
  gradient(call) {
    const { graph } = call;
    const size = graph.emit("Abs", [call.node.inputs[0] as string]);
    const divisor = graph.emit("Add", [size, graph.scalar(1)]);
    return [graph.emit("Div", [call.upstream, graph.emit("Mul", [divisor, divisor])])];
  },
  axes: flowThroughZero,
  interval: alwaysBetween(-1, 1),
  rounding: elementwiseBound(1, 2),
};
