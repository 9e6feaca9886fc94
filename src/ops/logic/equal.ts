import type { ValueType } from "../../graph/model.ts";
import type { Operator } from "../rules/operator.ts";
import { equalSizes, sized, sizesOf } from "../rules/sizes.ts";
import { comparison } from "./comparison.ts";

/** y = (a = b), broadcast. ONNX Equal-19. */
export const equal: Operator = {
  ...comparison,
  infer(call) {
    const [type] = comparison.infer(call) as [ValueType];
    const [a, b] = [sizesOf(call, 0), sizesOf(call, 1)];
    if (a === undefined || b === undefined || type.shape.length > 1) return [type];
    return [sized(type, equalSizes(a, b))];
  },
};
