import type { ValueType } from "../../graph/model.ts";
import { addBounds } from "../rules/bounds.ts";
import { flowThroughZero, inferUnary } from "../rules/broadcast.ts";
import { monotone } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";
import { withValue } from "../rules/sizes.ts";

/** y = ⌊x⌋. Its derivative is 0 wherever it has one. ONNX Floor-13. */
export const floor: Operator = {
  infer(call) {
    const [type] = inferUnary(call) as [ValueType];
    // Only numbers: how a fraction of a symbolic size rounds is not known.
    const value = call.input(0).value?.map((one) => (typeof one === "number" ? Math.floor(one) : one));
    return [withValue(type, value)];
  },
  gradient: () => [undefined],
  axes: flowThroughZero,
  interval: monotone(Math.floor),
  // Floor may jump by 1 within the input's bound.
  rounding: (call) =>
    call.inputBounds[0] === undefined
      ? undefined
      : addBounds(call, call.inputBounds[0], call.graph.scalar(1)),
};
