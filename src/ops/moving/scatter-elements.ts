import type { Operator } from "../rules/operator.ts";
import { scatteringWith } from "./scattering.ts";

/** The data with entries replaced or added to, looked up along an axis. ONNX ScatterElements-18. */
export const scatterElements: Operator = scatteringWith((call) => {
  const along = call.axis(call.int("axis", 0), call.rank(0));
  const updates = call.shape(2);
  // Of an axis that is updated in part, the rest would have to stay behind.
  return call
    .shape(0)
    .flatMap((size, axis) =>
      axis !== along && size === updates[axis] ? [{ data: axis, updates: axis, indices: axis }] : [],
    );
});
