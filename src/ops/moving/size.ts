import { productOfDims } from "../../graph/dim.ts";
import type { Operator } from "../rules/operator.ts";
import { sized } from "../rules/sizes.ts";

/** The number of elements of a tensor, as an int64 scalar. ONNX Size-19. */
export const size: Operator = {
  infer: (call) => [sized({ dtype: "int64", shape: [] }, [productOfDims(call.shape(0))])],
  gradient: "none",
  axes: () => ({ ties: [] }),
  rounding: () => undefined,
  flops: () => 0,
};
