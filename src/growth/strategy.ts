import type { Random } from "../tensor/random.ts";
import type { Slices } from "./slices.ts";

/** What a strategy sees when it fills the new units of one parameter. */
export interface FillRequest {
  /** The grown parameter: old units hold their values, new ones zeros. */
  readonly slices: Slices;
  readonly oldUnits: number;
  readonly newUnits: number;
  /** An independent generator per new unit, so that a unit's values do not depend on its company. */
  random(unit: number): Random;
}

/** Writes the values of new units (`oldUnits` and up) into a private copy of a parameter. */
export type Fill = (request: FillRequest) => void;

/** Which values new units get: a record of pure functions, one per role that leaves a choice. */
export interface Strategy {
  readonly name: string;
  /** One line for people. */
  readonly summary: string;
  /** Whether outputs stay the same whatever the activation, as long as values are finite. */
  readonly preserves: boolean;
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
