import { addBounds, relativeBound, scaleBound, unitRoundoff } from "../rules/bounds.ts";
import { flowThroughZero, inferUnary } from "../rules/broadcast.ts";
import type { Operator } from "../rules/operator.ts";

/** Largest |Mish′|, at x = 1.4906 (rounded up). */
const steepest = 1.09;

/** y = x·tanh(ln(1 + eˣ)). ONNX Mish-22. */
export const mish: Operator = {
  infer: inferUnary,
  // y′ = t + x·(1 − t²)·σ(x) with t = tanh(ln(1 + eˣ))
  gradient(call) {
    const { graph } = call;
    const x = call.node.inputs[0] as string;
    const t = graph.emit("Tanh", [graph.emit("Softplus", [x])]);
    const bend = graph.emit("Sub", [graph.scalar(1), graph.emit("Mul", [t, t])]);
    const inner = graph.emit("Mul", [graph.emit("Mul", [x, bend]), graph.emit("Sigmoid", [x])]);
    return [graph.emit("Mul", [call.upstream, graph.emit("Add", [t, inner])])];
  },
  axes: flowThroughZero,
  // ln(1 + eˣ) is off by some roundings of 1, which the factor x scales.
  rounding: (call) =>
    addBounds(
      call,
      scaleBound(call, call.inputBounds[0], steepest),
      relativeBound(call, call.node.inputs[0] as string, 32 * unitRoundoff),
    ),
};
