import type { Random } from "../../tensor/random.ts";
import type { Slices } from "./slices.ts";

/** What a strategy sees when it fills the new units of one parameter. */
export interface FillRequest {
  /** The grown parameter: old units have their values, new ones are zero. */
  readonly slices: Slices;
  readonly oldUnits: number;
  readonly newUnits: number;
  /** An independent generator per new unit and parameter, so that a unit's values do not depend on the others. */
  random(unit: number): Random;
  /** One generator per new unit, the same for every parameter of the growth, for what they must agree on. */
  shared(unit: number): Random;
}

/** Writes the values of new units (`oldUnits` and up) into a private copy of a parameter. */
export type Fill = (request: FillRequest) => void;

/** How the new units of a width are filled, by the role of the parameter. */
export interface Fills {
  readonly incoming: Fill;
  readonly outgoing: Fill;
  /** Biases, BatchNorm's shift and running mean. */
  readonly shift: Fill;
  /** BatchNorm's scale and running variance. */
  readonly scale: Fill;
}

/** Fills nothing: the new entries stay zero. */
export const keepZero: Fill = () => {};

/** Fills ones: a new BatchNorm channel scales by 1 and has variance 1. */
export const fillOne: Fill = (request) => {
  forNewUnits(request, (unit) => request.slices.map(unit, () => 1));
};

/** Calls `each` for every new unit. */
export function forNewUnits(request: FillRequest, each: (unit: number) => void): void {
  for (let unit = request.oldUnits; unit < request.oldUnits + request.newUnits; unit++) each(unit);
}

/** Incoming weights N(0, 2 / fan-in) (He et al., "Delving deep into rectifiers", ICCV 2015). */
export const fillHe: Fill = (request) => {
  const deviation = Math.sqrt(2 / request.slices.length);
  forNewUnits(request, (unit) => {
    const draws = request.random(unit);
    request.slices.map(unit, () => deviation * draws.normal());
  });
};

/** Root mean square of the old units' values: the size that new ones of the same kind are given. 0 if all are zero. */
export function oldSize({ slices, oldUnits }: FillRequest): number {
  let squares = 0;
  for (let unit = 0; unit < oldUnits; unit++) {
    for (const value of slices.get(unit)) squares += value * value;
  }
  return Math.sqrt(squares / Math.max(1, oldUnits * slices.length));
}
