import { addBounds, elementwiseBound, unitRoundoff } from "../rules/bounds.ts";
import { flowUnary, inferUnary } from "../rules/broadcast.ts";
import { between } from "../rules/interval.ts";
import type { Operator } from "../rules/operator.ts";

const relative = elementwiseBound(0.25, 4);

/** y = 1 / (1 + e^(−x)). ONNX Sigmoid-13. */
export const sigmoid: Operator = {
  infer: inferUnary,
  gradient(call) {
    const y = call.node.outputs[0] as string;
    const rest = call.graph.emit("Sub", [call.graph.scalar(1), y]);
    return [call.graph.emit("Mul", [call.upstream, call.graph.emit("Mul", [y, rest])])];
  },
  axes: flowUnary,
  link: () => ({ name: "sigmoid" }),
  interval: () => between(0, 1),
  // ONNX Runtime's rational approximation is 0.5 + odd(x): accurate to a few roundings of 0.5, not of y.
  rounding: (call) => addBounds(call, relative(call), call.graph.scalar(4 * unitRoundoff)),
};
