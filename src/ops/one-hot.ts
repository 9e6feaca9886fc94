import type { Operator } from "./operator.ts";
import { sizesOf, unknownSize } from "./sizes.ts";

/** A new axis of size `depth` with values[1] at the index and values[0] elsewhere. ONNX OneHot-11. */
export const oneHot: Operator = {
  infer(call) {
    const indices = call.shape(0);
    const axis = call.axis(call.int("axis", -1), indices.length + 1);
    const depth = sizesOf(call, 1)?.[0] ?? unknownSize(call, axis);
    return [
      { dtype: call.input(2).dtype, shape: [...indices.slice(0, axis), depth, ...indices.slice(axis)] },
    ];
  },
  gradient: "none",
  flow: () => ({ ties: [] }),
  rounding: () => undefined,
  flops: () => 0,
};
