import type { Call } from "./operator.ts";
import { numbersOf } from "./sizes.ts";

/**
 * Axes given as attribute `axes` (older opsets) or as integer input `index` (newer ones), counted from the front
 * of a tensor of `rank` axes. Undefined if neither is given. Throws `INVALID_MODEL` if they are computed.
 */
export function givenAxes(call: Call, index: number, rank: number): number[] | undefined {
  const listed = call.ints("axes") ?? numbersOf(call, index);
  if (listed !== undefined) return listed.map((axis) => call.axis(axis, rank));
  if (call.has(index)) call.unruled("its axes must be constant", call.node.inputs[index]);
  return undefined;
}
