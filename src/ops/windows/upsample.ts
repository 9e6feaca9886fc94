import { text } from "../../graph/model.ts";
import { float32, toNumbers } from "../../tensor/tensor.ts";
import type { Call, Operator } from "../rules/operator.ts";
import { resize, scaledShape } from "./resize.ts";

/** Scales by axis: an attribute until opset 8, input 1 in opset 9. */
function scales(call: Call): readonly number[] {
  const attribute = Object.hasOwn(call.node.attributes, "scales") ? call.node.attributes.scales : undefined;
  if (attribute?.kind === "floats") return attribute.value;
  const given = call.constant(1);
  return given === undefined
    ? call.unruled("its scales must be constant", call.node.inputs[1])
    : toNumbers(given);
}

/**
 * The predecessor of Resize, which replaced it in opset 10; this form has only an axis rule. ONNX Upsample-9.
 */
export const upsample: Operator = {
  ...resize,
  infer: (call) => [{ dtype: call.input(0).dtype, shape: scaledShape(call, scales(call)) }],
  upgrade(call) {
    const list = scales(call);
    const name = call.graph.constant(`scales ${list}`, () => float32([list.length], list));
    return {
      ...call.node,
      op: "Resize",
      inputs: [call.node.inputs[0] as string, "", name],
      attributes: {
        mode: text(call.string("mode", "nearest")),
        coordinate_transformation_mode: text("asymmetric"),
        nearest_mode: text("floor"),
      },
    };
  },
};
