import { flowThroughZero, inferUnary } from "../rules/broadcast.ts";
import type { Operator } from "../rules/operator.ts";

/** y = −1, 0 or 1. Its derivative is 0 wherever it has one. ONNX Sign-13. */
export const sign: Operator = {
  infer: inferUnary,
  gradient: () => [undefined],
  axes: flowThroughZero,
  rounding(call) {
    const [bound] = call.inputBounds;
    if (bound === undefined) return undefined;
    // The sign is certain where |x| > δ; elsewhere it may be off by up to 2.
    const x = call.graph.emit("Abs", [call.node.inputs[0] as string]);
    const sure = call.graph.emit("Greater", [x, bound]);
    return call.graph.emit("Where", [sure, call.graph.scalar(0), call.graph.scalar(2)]);
  },
};
