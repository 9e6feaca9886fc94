import { type FillRequest, fillOne, forNewUnits, keepZero, oldSize } from "../plan/fills.ts";
import { refusesCopies, type Strategy } from "../plan/strategy.ts";

/** The first of the pair that a new unit belongs to. */
const firstOf = ({ oldUnits }: FillRequest, unit: number) => unit - ((unit - oldUnits) % 2);

/**
 * Pairs with equal incoming weights V and outgoing weights Z and -Z: together they add nothing, whatever the
 * activation, and dL/dV has opposite signs, so they separate at the first step. Unlike under zero outgoing weights, V learns
 * from the start.
 */
export const paired: Strategy = {
  name: "paired",
  summary: "pairs of equal incoming and opposite outgoing weights, which cancel and separate at once",
  source: "Wu et al., Firefly neural architecture descent, NeurIPS 2020; docs/theory.md",
  preserves: true,
  multiple: 2,
  refuses: refusesCopies,
  incoming(request) {
    const deviation = Math.sqrt(2 / request.slices.length);
    forNewUnits(request, (unit) => {
      const draws = request.random(firstOf(request, unit));
      request.slices.map(unit, () => deviation * draws.normal());
    });
  },
  outgoing(request) {
    const deviation = oldSize(request) || 1 / Math.sqrt(request.oldUnits + request.newUnits);
    forNewUnits(request, (unit) => {
      const draws = request.random(firstOf(request, unit));
      const signed = unit === firstOf(request, unit) ? deviation : -deviation;
      request.slices.map(unit, () => signed * draws.normal());
    });
  },
  shift: keepZero,
  scale: fillOne,
};
