import { type FillRequest, fillOne, forNewUnits, keepZero } from "../plan/fills.ts";
import type { Strategy } from "../plan/strategy.ts";

/**
 * Random incoming weights, each orthogonal to those of the units before it, old and new. There are no more orthogonal
 * vectors than inputs: after that many units a new set begins. A unit depends on those before it alone, so two
 * growths in a row give what one of their sum gives. Takes units² · fan-in operations.
 */
function fillOrthogonal(request: FillRequest): void {
  const { slices, oldUnits } = request;
  const { length } = slices;
  if (length === 0) return;
  let basis: Float64Array[] = [];
  const add = (unit: number) => {
    const direction = orthonormal(Float64Array.from(slices.get(unit)), basis);
    if (direction !== undefined) basis.push(direction);
    if (basis.length >= length) basis = [];
  };
  for (let unit = 0; unit < oldUnits; unit++) add(unit);
  // The norm that He's weights have on average.
  const norm = Math.sqrt(2);
  forNewUnits(request, (unit) => {
    const draws = request.random(unit);
    for (;;) {
      const direction = orthonormal(
        Float64Array.from({ length }, () => draws.normal()),
        basis,
      );
      if (direction === undefined) continue;
      slices.map(unit, (_, index) => norm * (direction[index] as number));
      // As it is stored, so that a later growth finds the same basis.
      return add(unit);
    }
  });
}

/** What a vector does not have in common with the basis, with norm 1; undefined if that is next to nothing. */
function orthonormal(vector: Float64Array, basis: readonly Float64Array[]): Float64Array | undefined {
  const before = Math.sqrt(dot(vector, vector));
  // A single pass leaves rounding errors in what remains; two are enough.
  for (let pass = 0; pass < 2; pass++) {
    for (const direction of basis) {
      const shared = dot(vector, direction);
      vector.forEach((value, at) => {
        vector[at] = value - shared * (direction[at] as number);
      });
    }
  }
  const after = Math.sqrt(dot(vector, vector));
  return after > 1e-6 * before ? vector.map((value) => value / after) : undefined;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] as number) * (b[at] as number);
  return sum;
}

/** Incoming weights that have nothing in common with those of other units, as far as the fan-in allows. */
export const orthogonal: Strategy = {
  name: "orthogonal",
  summary: "incoming weights orthogonal to those of all other units, zero outgoing weights, zero bias",
  source: "Saxe et al., Exact solutions to the nonlinear dynamics of learning in deep linear networks, 2014",
  preserves: true,
  incoming: fillOrthogonal,
  outgoing: keepZero,
  shift: keepZero,
  scale: fillOne,
};
