import { given, hullOfAll } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";
import { extremum } from "./extremum.ts";

/** y = min(a, b, …), broadcast; ties share the gradient equally. ONNX Min-13. */
export const min: Operator = {
  ...extremum,
  interval: (inputs) => ({
    ...hullOfAll(inputs),
    most: Math.min(...given(inputs).map(({ most }) => most)),
  }),
};
