import { elementwiseBound } from "../rules/bounds.ts";
import { flowThroughZero, inferUnary } from "../rules/broadcast.ts";
import { between } from "../rules/interval.ts";
import type { Operator } from "../rules/operator.ts";

/** y = 2/√π · ∫₀ˣ e^(−t²) dt. ONNX Erf-13. */
export const erf: Operator = {
  infer: inferUnary,
  gradient(call) {
    const x = call.node.inputs[0] as string;
    const square = call.graph.emit("Mul", [x, x]);
    const bell = call.graph.emit("Exp", [call.graph.emit("Neg", [square])]);
    const slope = call.graph.emit("Mul", [bell, call.graph.scalar(2 / Math.sqrt(Math.PI))]);
    return [call.graph.emit("Mul", [call.upstream, slope])];
  },
  axes: flowThroughZero,
  interval: () => between(-1, 1),
  rounding: elementwiseBound(2 / Math.sqrt(Math.PI), 8),
};
