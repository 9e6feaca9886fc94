import { fillHe, fillOne, keepZero } from "../plan/fills.ts";
import type { Strategy } from "../plan/strategy.ts";

/** The original article's fill, but signed and scaled by fan-in. Each new unit has a different gradient from the first step. */
export const random: Strategy = {
  name: "random",
  summary: "random signed incoming weights scaled by fan-in, zero outgoing weights, zero bias",
  source: "the article that espalier began with; scale from He et al. 2015",
  preserves: true,
  incoming: fillHe,
  outgoing: keepZero,
  shift: keepZero,
  scale: fillOne,
};
