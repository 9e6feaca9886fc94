import type { Operator } from "../rules/operator.ts";
import { scatteringWith } from "./scattering.ts";

/**
 * The data with entries replaced, or combined with updates, at given positions along an axis. ONNX
 * ScatterElements-18.
 */
export const scatterElements: Operator = scatteringWith((call) => {
  const along = call.axis(call.int("axis", 0), call.rank(0));
  const updates = call.shape(2);
  // If the updates cover only part of an axis, the positions that they miss could not grow along.
  return call
    .shape(0)
    .flatMap((size, axis) =>
      axis !== along && size === updates[axis] ? [{ data: axis, updates: axis, indices: axis }] : [],
    );
});
