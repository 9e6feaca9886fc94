import { addBounds, relativeBound, scaleBound, unitRoundoff } from "../rules/bounds.ts";
import { flowThroughZero, inferUnary } from "../rules/broadcast.ts";
import type { GradientCall, Operator } from "../rules/operator.ts";

/** Largest |Gelu′|, at x = √2 (both forms agree to 1e-3; rounded up). */
const steepest = 1.13;

/** y′ = Φ(x) + x·φ(x), where Φ and φ are the standard normal's distribution function and density. */
function exactSlope(call: GradientCall, x: string): string {
  const { graph } = call;
  const erf = graph.emit("Erf", [graph.emit("Mul", [x, graph.scalar(Math.SQRT1_2)])]);
  const distribution = graph.emit("Mul", [graph.emit("Add", [erf, graph.scalar(1)]), graph.scalar(0.5)]);
  const half = graph.emit("Mul", [graph.emit("Mul", [x, x]), graph.scalar(-0.5)]);
  const density = graph.emit("Mul", [graph.emit("Exp", [half]), graph.scalar(1 / Math.sqrt(2 * Math.PI))]);
  return graph.emit("Add", [distribution, graph.emit("Mul", [x, density])]);
}

/** With t = tanh(c·(x + a·x³)): y′ = (1 + t)/2 + x·(1 − t²)/2 · c·(1 + 3a·x²). */
function tanhSlope(call: GradientCall, x: string): string {
  const { graph } = call;
  const c = Math.sqrt(2 / Math.PI);
  const a = 0.044715;
  const square = graph.emit("Mul", [x, x]);
  const polynomial = (linear: number, cubic: number) =>
    graph.emit("Add", [graph.emit("Mul", [square, graph.scalar(cubic)]), graph.scalar(linear)]);
  const t = graph.emit("Tanh", [graph.emit("Mul", [x, polynomial(c, c * a)])]);
  const bend = graph.emit("Sub", [graph.scalar(1), graph.emit("Mul", [t, t])]);
  const inner = graph.emit("Mul", [graph.emit("Mul", [x, polynomial(c, 3 * c * a)]), bend]);
  const sum = graph.emit("Add", [graph.emit("Add", [t, graph.scalar(1)]), inner]);
  return graph.emit("Mul", [sum, graph.scalar(0.5)]);
}

/** y = x·Φ(x), exactly or by the tanh approximation. ONNX Gelu-20. */
export const gelu: Operator = {
  infer: inferUnary,
  gradient(call) {
    const x = call.node.inputs[0] as string;
    const slope = call.string("approximate", "none") === "tanh" ? tanhSlope(call, x) : exactSlope(call, x);
    return [call.graph.emit("Mul", [call.upstream, slope])];
  },
  axes: flowThroughZero,
  // 1 + erf cancels for x < 0: the error is relative to x, not to y.
  rounding: (call) =>
    addBounds(
      call,
      scaleBound(call, call.inputBounds[0], steepest),
      relativeBound(call, call.node.inputs[0] as string, 16 * unitRoundoff),
    ),
};
