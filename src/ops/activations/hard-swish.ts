import { addBounds, relativeBound, scaleBound, unitRoundoff } from "../rules/bounds.ts";
import { flowThroughZero, inferUnary } from "../rules/broadcast.ts";
import type { Operator } from "../rules/operator.ts";

/**
 * y = x · min(max(x/6 + 1/2, 0), 1); the derivatives at −3 and 3 are 0 and 1, as in PyTorch. ONNX
 * HardSwish-14.
 */
export const hardSwish: Operator = {
  infer: inferUnary,
  gradient(call) {
    const { graph } = call;
    const x = call.node.inputs[0] as string;
    const bend = graph.emit("Add", [graph.emit("Mul", [x, graph.scalar(1 / 3)]), graph.scalar(0.5)]);
    const below = graph.emit("Greater", [x, graph.scalar(-3)]);
    const above = graph.emit("GreaterOrEqual", [x, graph.scalar(3)]);
    const slope = graph.emit("Where", [above, graph.scalar(1), bend]);
    const sloped = graph.emit("Mul", [call.upstream, slope]);
    return [graph.emit("Where", [below, sloped, graph.scalar(0)])];
  },
  axes: flowThroughZero,
  // The slope reaches 3/2 at x = 3; the gate is accurate to a few roundings of 1, so y is to as many of x.
  rounding: (call) =>
    addBounds(
      call,
      scaleBound(call, call.inputBounds[0], 1.5),
      relativeBound(call, call.node.inputs[0] as string, 8 * unitRoundoff),
    ),
};
