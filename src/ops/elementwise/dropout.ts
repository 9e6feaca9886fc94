import { input, output, tie } from "../rules/axis-rule.ts";
import { elementwise, moved } from "../rules/contents.ts";
import { keepsInterval } from "../rules/interval-rules.ts";
import type { Call, Operator } from "../rules/operator.ts";
import { attributesAsInputs } from "../rules/raising.ts";

/** Whether the call may drop anything: its training_mode is given and not the constant false. */
function mayDrop(call: Call): boolean {
  if (!call.has(2)) return false;
  const mode = call.constant(2);
  return mode === undefined || Number(mode.data[0]) !== 0;
}

/**
 * The identity in evaluation. In training, espalier replaces it with a product with a mask that it draws
 * itself (seeded, so that runs are reproducible); ONNX's own random mask has no gradient rule. ONNX
 * Dropout-13.
 */
export const dropout: Operator = {
  infer: (call) => [call.input(0), { dtype: "bool", shape: call.shape(0) }],

  gradient(call) {
    if (mayDrop(call)) {
      call.unruled(
        "its random mask cannot be repeated, so it has no gradient in training mode",
        call.node.inputs[2],
        "Leave training_mode out: training replaces Dropout by a product with a seeded mask.",
      );
    }
    return [call.upstream];
  },

  axes(call) {
    const masks = (call.node.outputs[1] ?? "") === "" ? [] : [1];
    return {
      ties: call
        .shape(0)
        .flatMap((_, axis) => [
          tie(input(0, axis), output(axis)),
          ...masks.map((index) => tie(input(0, axis), output(axis, index))),
        ]),
      // A mask is true for entries that are kept.
      contents: masks.length === 0 ? moved : elementwise,
    };
  },

  interval: keepsInterval,
  rounding(call) {
    if (mayDrop(call)) call.unruled("has no rounding bound in training mode", call.node.inputs[2]);
    return call.inputBounds[0];
  },

  evaluation: ({ node }) => ({ ...node, inputs: node.inputs.slice(0, 2) }),

  train(call) {
    const { name, inputs, outputs } = call.node;
    const [x = ""] = inputs;
    const given = call.has(1) ? call.constant(1) : undefined;
    if (call.has(1) && given === undefined)
      call.unruled("its ratio must be a constant to be trained", inputs[1]);
    const ratio = given === undefined ? 0.5 : Number(given.data[0]);
    if (!(ratio >= 0 && ratio < 1)) call.fail("its ratio must be in [0, 1)", ratio);
    const mask = call.dropoutMask(x, ratio);
    const product = { name, op: "Mul", domain: "", inputs: [x, mask], outputs: outputs.slice(0, 1) };
    call.graph.add({ ...product, attributes: {} });
  },
  upgrade: attributesAsInputs("ratio"),
};
