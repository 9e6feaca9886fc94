import { multiplyDims } from "../../graph/dim.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { addBounds, computedBound, magnitude, unitRoundoff } from "../rules/bounds.ts";
import { flowBroadcast } from "../rules/broadcast.ts";
import { multiplied } from "../rules/contents.ts";
import { unbroadcast } from "../rules/gradient.ts";
import { anything, product, squared } from "../rules/interval.ts";
import type { Operator } from "../rules/operator.ts";
import { inferArithmetic } from "../rules/sizes.ts";

/** y = a · b, broadcast. ONNX Mul-14. */
export const mul: Operator = {
  infer: inferArithmetic(multiplyDims),
  gradient(call) {
    const [a, b] = call.node.inputs as [string, string];
    const times = (other: string, index: number) =>
      unbroadcast(call, call.graph.emit("Mul", [call.upstream, other]), index);
    return [call.wants(0) ? times(b, 0) : undefined, call.wants(1) ? times(a, 1) : undefined];
  },
  axes: flowBroadcast(["scale", "scale"], multiplied),
  literals: { single: [0, 1] },
  interval: ([a = anything, b = anything], { node }) =>
    node.inputs[0] === node.inputs[1] ? squared(a) : product(a, b),
  rounding(call) {
    if (!isFloat(call.output(0).dtype)) return undefined;
    const [a, b] = call.node.inputs as [string, string];
    const [boundA, boundB] = call.inputBounds;
    // |ab − âb̂| ≤ δa·|b̂| + (|â| + δa)·δb
    const fromA = boundA === undefined ? undefined : call.graph.emit("Mul", [boundA, magnitude(call, b)]);
    const fromB =
      boundB === undefined
        ? undefined
        : call.graph.emit("Mul", [addBounds(call, magnitude(call, a), boundA) as string, boundB]);
    return addBounds(call, fromA, fromB, computedBound(call, unitRoundoff));
  },
};
