import { fillOne, keepZero } from "../plan/fills.ts";
import type { Strategy } from "../plan/strategy.ts";

/** The first pitfall: both sides zero. Neither side ever gets a gradient; the new units are dead. */
export const zeros: Strategy = {
  name: "zeros",
  summary: "pitfall: everything zero, so the new units are dead",
  source: "the article that espalier began with",
  preserves: true,
  incoming: keepZero,
  outgoing: keepZero,
  shift: keepZero,
  scale: fillOne,
};
