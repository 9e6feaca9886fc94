import { addBounds, elementwiseBound, unitRoundoff } from "../rules/bounds.ts";
import { flowThroughZero, inferUnary } from "../rules/broadcast.ts";
import type { Operator } from "../rules/operator.ts";

/** y = x where x > 0, α·(e^(x/α) − 1) elsewhere: its slope is continuous. ONNX Celu-12. */
export const celu: Operator = {
  infer: inferUnary,
  gradient(call) {
    const { graph, upstream } = call;
    const open = graph.emit("Greater", [call.node.inputs[0] as string, graph.scalar(0)]);
    // e^(x/α) = y/α + 1 where x ≤ 0.
    const scaled = graph.emit("Mul", [
      call.node.outputs[0] as string,
      graph.scalar(1 / call.float("alpha", 1)),
    ]);
    const slope = graph.emit("Add", [scaled, graph.scalar(1)]);
    return [graph.emit("Where", [open, upstream, graph.emit("Mul", [upstream, slope])])];
  },
  axes: flowThroughZero,
  rounding(call) {
    const alpha = Math.abs(call.float("alpha", 1));
    // The quotient rounds as x does; e^(x/α) − 1 cancels near 0, where its error is relative to α.
    return addBounds(call, elementwiseBound(1, 6)(call), call.graph.scalar(8 * alpha * unitRoundoff));
  },
};
