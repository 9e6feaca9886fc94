import type { Dim } from "../../graph/dim.ts";
import { divideDims } from "../../graph/dim.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { addBounds, computedBound, magnitude, tiniest, unitRoundoff } from "../rules/bounds.ts";
import { flowBroadcast } from "../rules/broadcast.ts";
import { elementwise, notAtZero } from "../rules/contents.ts";
import { unbroadcast } from "../rules/gradient.ts";
import { anything, quotient } from "../rules/interval.ts";
import type { Operator } from "../rules/operator.ts";
import { inferArithmetic } from "../rules/sizes.ts";

/** Integer division truncates, as ONNX's does. */
function divideSizes(a: Dim, b: Dim): Dim | undefined {
  if (typeof a === "number" && typeof b === "number") return b === 0 ? undefined : Math.trunc(a / b);
  return divideDims(a, b);
}

function divideReals(a: Dim, b: Dim): Dim | undefined {
  return typeof a === "number" && typeof b === "number" && b !== 0 ? a / b : divideDims(a, b);
}

/** y = a / b, broadcast. ONNX Div-14. */
export const div: Operator = {
  infer: inferArithmetic(divideSizes, divideReals),
  gradient(call) {
    const b = call.node.inputs[1] as string;
    const y = call.node.outputs[0] as string;
    const quotient = call.graph.emit("Div", [call.upstream, b]);
    const fromB = () => call.graph.emit("Neg", [call.graph.emit("Mul", [quotient, y])]);
    return [
      call.wants(0) ? unbroadcast(call, quotient, 0) : undefined,
      call.wants(1) ? unbroadcast(call, fromB(), 1) : undefined,
    ];
  },
  axes: flowBroadcast(["scale", "scale"], ([a, b]) => {
    if (b === undefined) return a ?? "any";
    const divided = notAtZero([b]);
    return typeof divided === "string" ? elementwise([a, b]) : divided;
  }),
  literals: { single: [0, 1] },
  interval: ([a = anything, b = anything]) => quotient(a, b),
  rounding(call) {
    if (!isFloat(call.output(0).dtype)) return undefined;
    const [boundA, boundB] = call.inputBounds;
    const own = computedBound(call, unitRoundoff);
    if (boundA === undefined && boundB === undefined) return own;
    // |a/b − â/b̂| ≤ (δa + |y|·δb) / (|b̂| − δb), infinite where b may be 0.
    const y = magnitude(call, call.node.outputs[0] as string);
    const fromB = boundB === undefined ? undefined : call.graph.emit("Mul", [y, boundB]);
    const b = magnitude(call, call.node.inputs[1] as string);
    const least = boundB === undefined ? b : call.graph.emit("Sub", [b, boundB]);
    const divisor = call.graph.emit("Max", [least, call.graph.scalar(tiniest)]);
    const carried = call.graph.emit("Div", [addBounds(call, boundA, fromB) as string, divisor]);
    // The roundoff again, because y itself is rounded.
    return addBounds(call, carried, own, own);
  },
};
