import { multiplyDims } from "../../graph/dim.ts";
import { elementwiseBound } from "../rules/bounds.ts";
import { flowMoved } from "../rules/broadcast.ts";
import { anything, negated } from "../rules/interval.ts";
import type { Operator } from "../rules/operator.ts";
import { sized, sizesOf } from "../rules/sizes.ts";

/** y = −x. ONNX Neg-13. */
export const neg: Operator = {
  infer: (call) => [
    sized(
      call.input(0),
      sizesOf(call, 0)?.map((size) => multiplyDims(-1, size)),
    ),
  ],
  gradient: (call) => [call.graph.emit("Neg", [call.upstream])],
  axes: flowMoved,
  interval: ([x = anything]) => negated(x),
  rounding: elementwiseBound(1, 0),
};
