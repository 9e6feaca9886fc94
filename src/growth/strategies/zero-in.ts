import { type Fill, fillOne, forNewUnits, keepZero, oldSize } from "../plan/fills.ts";
import type { Strategy } from "../plan/strategy.ts";

/** N(0, s²) with s the size of the old units' weights, or 1/√units if those are all zero. */
export const fillLikeOld: Fill = (request) => {
  const deviation = oldSize(request) || 1 / Math.sqrt(request.oldUnits + request.newUnits);
  forNewUnits(request, (unit) => {
    const draws = request.random(unit);
    request.slices.map(unit, () => deviation * draws.normal());
  });
};

/**
 * The mirror image of the original fill: zero incoming weights, random outgoing ones. The incoming weights learn first, from
 * dL/dA = φ'(0)·Ωᵀ g xᵀ, so it needs φ(0) = 0 and φ'(0) ≠ 0.
 */
export const zeroIn: Strategy = {
  name: "zeroIn",
  summary:
    "zero incoming weights, random outgoing weights; needs an activation that maps 0 to 0 and is not flat there",
  source: "Evci et al., GradMax, ICLR 2022, whose baseline it is",
  preserves: true,
  refuses: (width) => width.zeroIncoming() || undefined,
  incoming: keepZero,
  outgoing: fillLikeOld,
  shift: keepZero,
  scale: fillOne,
};
