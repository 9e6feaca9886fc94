import { extremum } from "./extremum.ts";
import { given, hullOfAll } from "./interval-rules.ts";
import type { Operator } from "./operator.ts";

/** y = min(a, b, …), broadcast; ties share the gradient equally. ONNX Min-13. */
export const min: Operator = {
  ...extremum,
  interval: (inputs) => ({
    ...hullOfAll(inputs),
    most: Math.min(...given(inputs).map(({ most }) => most)),
  }),
};
