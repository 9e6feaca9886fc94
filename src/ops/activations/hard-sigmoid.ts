import { addBounds, elementwiseBound, relativeBound, unitRoundoff } from "../rules/bounds.ts";
import { flowUnary, inferUnary } from "../rules/broadcast.ts";
import { between } from "../rules/interval.ts";
import type { Operator } from "../rules/operator.ts";

/** y = min(max(α·x + β, 0), 1); the derivative at both corners is 0. ONNX HardSigmoid-6. */
export const hardSigmoid: Operator = {
  infer: inferUnary,
  gradient(call) {
    const { graph } = call;
    const y = call.node.outputs[0] as string;
    const inside = graph.emit("And", [
      graph.emit("Greater", [y, graph.scalar(0)]),
      graph.emit("Less", [y, graph.scalar(1)]),
    ]);
    const sloped = graph.emit("Mul", [call.upstream, graph.scalar(call.float("alpha", 0.2))]);
    return [graph.emit("Where", [inside, sloped, graph.scalar(0)])];
  },
  axes: flowUnary,
  interval: () => between(0, 1),
  rounding(call) {
    const alpha = Math.abs(call.float("alpha", 0.2));
    const product = relativeBound(call, call.node.inputs[0] as string, 2 * alpha * unitRoundoff);
    return addBounds(call, elementwiseBound(alpha, 1)(call), product);
  },
};
