import { given, hullOfAll } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";
import { extremum } from "./extremum.ts";

/** y = max(a, b, …), broadcast; ties share the gradient equally. ONNX Max-13. */
export const max: Operator = {
  ...extremum,
  interval: (inputs) => ({
    ...hullOfAll(inputs),
    least: Math.max(...given(inputs).map(({ least }) => least)),
  }),
};
