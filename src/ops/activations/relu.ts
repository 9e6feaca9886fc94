import { int } from "../../graph/model.ts";
import { elementwiseBound } from "../rules/bounds.ts";
import { flowThroughZero, inferUnary } from "../rules/broadcast.ts";
import { codeOfDtype } from "../rules/element-types.ts";
import { monotone } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";

/** y = max(x, 0); the derivative at 0 is 0. ONNX Relu-14. */
export const relu: Operator = {
  infer: inferUnary,
  gradient(call) {
    const { graph } = call;
    const open = graph.emit("Greater", [call.node.outputs[0] as string, graph.scalar(0)]);
    // A product, not a Where: ONNX Runtime's CPU kernel for the latter was several times slower.
    const to = int(codeOfDtype(call.input(0).dtype));
    return [graph.emit("Mul", [call.upstream, graph.emit("Cast", [open], { to })])];
  },
  axes: (call) => ({ ...flowThroughZero(call), atZero: "flat" }),
  interval: monotone((x) => Math.max(0, x)),
  rounding: elementwiseBound(1, 0),
  open({ graph, node }) {
    const [x = ""] = node.inputs;
    const zero = graph.scalar(0);
    const above = graph.emit("GreaterOrEqual", [x, zero]);
    graph.add({ ...node, op: "Where", inputs: [above, x, zero], attributes: {} });
  },
  commutesWithMaximum: true,
};
