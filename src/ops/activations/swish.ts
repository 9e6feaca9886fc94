import { addBounds, relativeBound, scaleBound, unitRoundoff } from "../rules/bounds.ts";
import { flowThroughZero, inferUnary } from "../rules/broadcast.ts";
import type { Call, GraphCall, Operator } from "../rules/operator.ts";

/** Largest |Swish′|, whatever α is (rounded up). */
const steepest = 1.1;

const alphaOf = (call: Call) => call.float("alpha", 1);

/** σ(α·x) */
function gate(call: GraphCall | (Call & Pick<GraphCall, "graph">)): string {
  const x = call.node.inputs[0] as string;
  const { graph } = call;
  const alpha = alphaOf(call);
  return graph.emit("Sigmoid", [alpha === 1 ? x : graph.emit("Mul", [x, graph.scalar(alpha)])]);
}

/** y = x·σ(α·x). ONNX Swish-24. */
export const swish: Operator = {
  infer: inferUnary,
  // y′ = σ + α·y·(1 − σ)
  gradient(call) {
    const { graph } = call;
    const open = gate(call);
    const rest = graph.emit("Sub", [graph.scalar(1), open]);
    const bent = graph.emit("Mul", [
      graph.emit("Mul", [call.node.outputs[0] as string, rest]),
      graph.scalar(alphaOf(call)),
    ]);
    return [graph.emit("Mul", [call.upstream, graph.emit("Add", [open, bent])])];
  },
  axes: flowThroughZero,
  // σ is accurate to some roundings of 1, and α·x is rounded first.
  rounding: (call) =>
    addBounds(
      call,
      scaleBound(call, call.inputBounds[0], steepest),
      relativeBound(call, call.node.inputs[0] as string, 16 * unitRoundoff),
    ),
  // Compiled graphs use an older operator set, which has no Swish.
  lower(call) {
    const { name, inputs, outputs } = call.node;
    call.graph.add({
      name,
      op: "Mul",
      domain: "",
      inputs: [inputs[0] as string, gate(call)],
      outputs,
      attributes: {},
    });
  },
};
