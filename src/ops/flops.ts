import type { Dim } from "../graph/dim.ts";
import { productOfDims } from "../graph/dim.ts";
import { rulesOrNone } from "./index.ts";
import type { Call } from "./rules/operator.ts";

/** Floating-point operations of one call: as its operator's rule says, or else one per output element. */
export function flopsOf(call: Call): Dim {
  const rule = rulesOrNone(call.node).flops;
  return rule === undefined ? productOfDims(call.output(0).shape) : rule(call);
}
