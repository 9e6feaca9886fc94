import { elementwiseBound } from "./bounds.ts";
import { flowUnary } from "./broadcast.ts";
import type { Operator } from "./operator.ts";
import { sized, sizesOf } from "./sizes.ts";

/** y = x. ONNX Identity-19. */
export const identity: Operator = {
  infer: (call) => [sized(call.input(0), sizesOf(call, 0))],
  gradient: (call) => [call.upstream],
  flow: flowUnary,
  rounding: elementwiseBound(1, 0),
  flops: () => 0,
};
