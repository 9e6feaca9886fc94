import { fillOne, forNewUnits, keepZero } from "../plan/fills.ts";
import type { Strategy } from "../plan/strategy.ts";

/** The second pitfall: one side zero, the other constant. All new units get the same gradient and stay identical. */
export const constant: Strategy = {
  name: "constant",
  summary: "pitfall: equal incoming weights, so the new units stay identical",
  source: "the article that espalier began with",
  preserves: true,
  incoming(request) {
    const value = 1 / Math.sqrt(request.slices.length);
    forNewUnits(request, (unit) => request.slices.map(unit, () => value));
  },
  outgoing: keepZero,
  shift: keepZero,
  scale: fillOne,
};
