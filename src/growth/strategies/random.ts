import { fillOne, forNewUnits, keepZero, type Strategy } from "../strategy.ts";

/**
 * The origin's fill, signed and scaled: incoming weights N(0, 2 / fan-in) (He et al. 2015), outgoing weights and
 * bias zero. Preserves the function for any activation; each new unit has its own gradient from the first step.
 */
export const random: Strategy = {
  name: "random",
  summary: "random signed incoming weights scaled by fan-in, zero outgoing weights, zero bias",
  preserves: true,
  incoming(request) {
    const deviation = Math.sqrt(2 / request.slices.length);
    forNewUnits(request, (unit) => {
      const draws = request.random(unit);
      request.slices.map(unit, () => deviation * draws.normal());
    });
  },
  outgoing: keepZero,
  shift: keepZero,
  scale: fillOne,
};
