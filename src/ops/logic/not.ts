import type { ValueType } from "../../graph/model.ts";
import type { Operator } from "../rules/operator.ts";
import { numbersOf, sized } from "../rules/sizes.ts";
import { logical } from "./comparison.ts";

const rules = logical(1);

/** y = ¬a. ONNX Not-1. */
export const not: Operator = {
  ...rules,
  infer(call) {
    const [type] = rules.infer(call) as [ValueType];
    return [
      sized(
        type,
        numbersOf(call, 0)?.map((value) => Number(value === 0)),
      ),
    ];
  },
};
