import { input, output, tie } from "../rules/axis-rule.ts";
import { movedBound } from "../rules/bounds.ts";
import { inferUnary } from "../rules/broadcast.ts";
import { moved } from "../rules/contents.ts";
import type { Operator } from "../rules/operator.ts";

/** The upper or lower triangle of the matrices on the last two axes, zeros elsewhere. ONNX Trilu-14. */
export const trilu: Operator = {
  infer(call) {
    if (call.rank(0) < 2) call.fail("its input needs two axes", call.shape(0));
    return inferUnary(call);
  },
  gradient: (call) => [
    call.graph.emit("Trilu", [call.upstream, ...call.node.inputs.slice(1)], call.node.attributes),
  ],
  axes(call) {
    const batch = call.rank(0) - 2;
    const reason = "Trilu cuts a triangle out of it, which would move if it grew";
    return {
      ties: Array.from({ length: batch }, (_, axis) => tie(input(0, axis), output(axis))),
      blocked: [batch, batch + 1].flatMap((axis) =>
        [input(0, axis), output(axis)].map((at) => ({ at, reason })),
      ),
      contents: moved,
    };
  },
  rounding: movedBound,
  flops: () => 0,
};
