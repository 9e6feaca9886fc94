import { fillOne, forNewUnits, keepZero } from "../plan/fills.ts";
import type { Strategy } from "../plan/strategy.ts";

/** The original article's fill exactly: incoming weights U[0, 1), all positive and not scaled by fan-in (docs/theory.md: the weakest). */
export const uniform: Strategy = {
  name: "uniform",
  summary: "the article's incoming weights U[0, 1), zero outgoing weights, zero bias",
  source: "the article that espalier began with",
  preserves: true,
  incoming(request) {
    forNewUnits(request, (unit) => {
      const draws = request.random(unit);
      request.slices.map(unit, () => draws.uniform());
    });
  },
  outgoing: keepZero,
  shift: keepZero,
  scale: fillOne,
};
