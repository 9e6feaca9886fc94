import { elementwiseBound } from "../rules/bounds.ts";
import { flowMoved } from "../rules/broadcast.ts";
import { isUniform, isVector } from "../rules/contents-values.ts";
import { keepsOrder } from "../rules/interval-rules.ts";
import type { Operator } from "../rules/operator.ts";
import { sized, sizesOf } from "../rules/sizes.ts";

/** y = x. ONNX Identity-19. */
export const identity: Operator = {
  infer: (call) => [sized(call.input(0), sizesOf(call, 0))],
  gradient: (call) => [call.upstream],
  axes: flowMoved,
  interval: keepsOrder,
  rounding: elementwiseBound(1, 0),
  // TorchScript's exporter merges equal vectors this way. A tensor of distinct values under two names is tied
  // on purpose.
  constant(call) {
    const tensor = call.constant(0);
    return tensor !== undefined && isVector(tensor) && isUniform(tensor) ? tensor : undefined;
  },
  moves: true,
  flops: () => 0,
};
