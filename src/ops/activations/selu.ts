import { addBounds, elementwiseBound, unitRoundoff } from "../rules/bounds.ts";
import { flowThroughZero, inferUnary } from "../rules/broadcast.ts";
import type { Call, Operator } from "../rules/operator.ts";

const alphaOf = (call: Call) => call.float("alpha", 1.6732631921768188);
const gammaOf = (call: Call) => call.float("gamma", 1.0507010221481323);

/** y = γ·x where x > 0, γ·α·(eˣ − 1) elsewhere (derivative at 0: γ·α). ONNX Selu-22. */
export const selu: Operator = {
  infer: inferUnary,
  gradient(call) {
    const { graph, upstream } = call;
    const open = graph.emit("Greater", [call.node.inputs[0] as string, graph.scalar(0)]);
    // γ·α·eˣ = y + γ·α where x ≤ 0.
    const slope = graph.emit("Add", [
      call.node.outputs[0] as string,
      graph.scalar(gammaOf(call) * alphaOf(call)),
    ]);
    const straight = graph.emit("Mul", [upstream, graph.scalar(gammaOf(call))]);
    return [graph.emit("Where", [open, straight, graph.emit("Mul", [upstream, slope])])];
  },
  axes: flowThroughZero,
  rounding(call) {
    const [alpha, gamma] = [Math.abs(alphaOf(call)), Math.abs(gammaOf(call))];
    // eˣ − 1 cancels near 0: its error is relative to γ·α, not to y.
    return addBounds(
      call,
      elementwiseBound(gamma * Math.max(1, alpha), 4)(call),
      call.graph.scalar(8 * gamma * alpha * unitRoundoff),
    );
  },
};
