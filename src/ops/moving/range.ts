import { addDims, multiplyDims } from "../../graph/dim.ts";
import type { Call, Operator } from "../rules/operator.ts";
import { sizesOf, unknownSize } from "../rules/sizes.ts";

function length(call: Call) {
  const [start, limit, delta] = [0, 1, 2].map((index) => sizesOf(call, index)?.[0]);
  if (start === undefined || limit === undefined || delta === undefined) return unknownSize(call, 0);
  if (typeof start === "number" && typeof limit === "number" && typeof delta === "number") {
    return Math.max(0, Math.ceil((limit - start) / delta));
  }
  return delta === 1 ? addDims(limit, multiplyDims(-1, start)) : unknownSize(call, 0);
}

/** start, start + delta, … up to but excluding limit. ONNX Range-11. */
export const range: Operator = {
  infer: (call) => [{ dtype: call.input(0).dtype, shape: [length(call)] }],
  gradient: "none",
  axes: () => ({ ties: [] }),
  rounding: () => undefined,
};
