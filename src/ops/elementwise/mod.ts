import { isFloat } from "../../tensor/dtype.ts";
import { addBounds, computedBound, stretchBound, unitRoundoff } from "../rules/bounds.ts";
import { flowBroadcast } from "../rules/broadcast.ts";
import { elementwise, notAtZero, zeroAtZero } from "../rules/contents.ts";
import { anything, between, quotient } from "../rules/interval.ts";
import type { Operator } from "../rules/operator.ts";
import { inferArithmetic } from "../rules/sizes.ts";

/** y = the remainder of a / b, with the sign of b (of a if fmod is set); broadcast. ONNX Mod-13. */
export const mod: Operator = {
  infer: inferArithmetic((a, b) =>
    typeof a === "number" && typeof b === "number" && b !== 0 ? a - b * Math.floor(a / b) : undefined,
  ),
  gradient: "none",
  axes: flowBroadcast(["shift", "scale"], ([a, b]) => {
    if (b === undefined) return zeroAtZero([a]);
    const divided = notAtZero([b]);
    return typeof divided === "string" ? elementwise([a, b]) : divided;
  }),
  interval: ([a = anything, b = anything]) => {
    // a − a is 0, but infinity − infinity is NaN.
    const undefinedAt = a.holds === "infinite" || quotient(a, b).holds !== "finite";
    const most = Math.max(Math.abs(b.least), Math.abs(b.most));
    return between(-most, most, undefinedAt ? "nan" : "finite");
  },
  rounding(call) {
    if (!isFloat(call.output(0).dtype) || call.inputBounds.every((bound) => bound === undefined))
      return undefined;
    // A remainder jumps: an uncertain one may be off by a whole divisor.
    const size = call.graph.emit("Abs", [call.node.inputs[1] as string]);
    const [boundA, boundB] = call.inputBounds;
    const own = computedBound(call, unitRoundoff);
    return stretchBound(call, addBounds(call, size, boundA, boundB, boundB, own));
  },
};
