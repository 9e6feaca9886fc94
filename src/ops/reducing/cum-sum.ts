import { productOfDims } from "../../graph/dim.ts";
import { int } from "../../graph/model.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { input, output, tie } from "../rules/axis-rule.ts";
import { addBounds, magnitude, sumRoundoff } from "../rules/bounds.ts";
import { inferUnary } from "../rules/broadcast.ts";
import { moved } from "../rules/contents.ts";
import type { Call, Operator } from "../rules/operator.ts";
import { numbersOf } from "../rules/sizes.ts";

function axisOf(call: Call): number {
  const axis = numbersOf(call, 1)?.[0];
  if (axis === undefined) call.unruled("its axis must be constant", call.node.inputs[1]);
  return call.axis(axis, call.rank(0));
}

/**
 * Running sums along an axis, of all entries up to each one (inclusive or exclusive, from either end). ONNX
 * CumSum-14.
 */
export const cumSum: Operator = {
  infer(call) {
    axisOf(call);
    return inferUnary(call);
  },
  // Entry i goes into the sums from i on; a reversed running sum adds their gradients up.
  gradient: (call) => [
    call.graph.emit("CumSum", [call.upstream, call.node.inputs[1] as string], {
      exclusive: int(call.int("exclusive", 0)),
      reverse: int(1 - call.int("reverse", 0)),
    }),
  ],
  axes(call) {
    const summed = axisOf(call);
    const reason = "CumSum sums along it, so new units would change the entries after them";
    return {
      ties: call.shape(0).flatMap((_, axis) => (axis === summed ? [] : [tie(input(0, axis), output(axis))])),
      blocked: [input(0, summed), output(summed)].map((at) => ({ at, reason })),
      contents: moved,
    };
  },
  rounding(call) {
    if (!isFloat(call.output(0).dtype)) return undefined;
    const [x, axis] = call.node.inputs as [string, string];
    const own = call.graph.emit("Mul", [magnitude(call, x), sumRoundoff(call, x, [axisOf(call)])]);
    const each = addBounds(call, own, call.inputBounds[0]) as string;
    return call.graph.emit("CumSum", [each, axis], call.node.attributes);
  },
  flops: (call) => productOfDims(call.shape(0)),
};
