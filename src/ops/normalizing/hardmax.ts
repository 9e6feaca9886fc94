import { stretchBound } from "../rules/bounds.ts";
import { inferUnary } from "../rules/broadcast.ts";
import { alwaysBetween } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";
import { raiseSoftmax, softmaxFlow } from "./softmax.ts";

/**
 * 1 at the first of the largest entries along an axis, 0 elsewhere; the derivative is 0 wherever it exists.
 * ONNX Hardmax-13.
 */
export const hardmax: Operator = {
  infer: inferUnary,
  gradient: () => [undefined],
  axes: softmaxFlow,
  upgrade: raiseSoftmax,
  interval: alwaysBetween(0, 1),
  rounding: (call) =>
    call.inputBounds[0] === undefined ? undefined : stretchBound(call, call.graph.scalar(1)),
};
