import type { Random } from "../../tensor/random.ts";
import type { Choice } from "./choice.ts";
import type { WidthProbe } from "./probe.ts";
import type { Slices } from "./slices.ts";
import type { Width } from "./width.ts";

/** What a strategy sees when it fills the new units of one parameter. */
export interface FillRequest {
  /** The grown parameter: old units hold their values, new ones zeros. */
  readonly slices: Slices;
  readonly oldUnits: number;
  readonly newUnits: number;
  /** An independent generator per new unit and parameter, so that a unit's values do not depend on its company. */
  random(unit: number): Random;
  /** One generator per new unit, the same for every parameter of the growth: for what they must agree on. */
  shared(unit: number): Random;
}

/** Writes the values of new units (`oldUnits` and up) into a private copy of a parameter. */
export type Fill = (request: FillRequest) => void;

/** What a strategy that looks at data is asked for. */
export interface ChoiceRequest {
  /** New units. */
  readonly by: number;
  readonly seed: number;
}

/** Which values new units get: a record of pure functions, one per role that leaves a choice. */
export interface Strategy {
  readonly name: string;
  /** One line for people. */
  readonly summary: string;
  /** Where it comes from. */
  readonly source: string;
  /** Whether outputs stay the same on every width that it does not refuse, as long as values are finite. */
  readonly preserves: boolean;
  /** Units come in multiples of this many. Default 1. */
  readonly multiple?: number;
  /** Why it cannot make units of a width that can grow; undefined where it can. */
  readonly refuses?: (width: Width) => string | undefined;
  /**
   * For strategies that need data: measures the width through the probe and chooses. Without it a strategy needs none.
   * Throws `ARGUMENT` where what it measured leaves no choice, such as more units than the gradient has directions.
   */
  readonly choose?: (probe: WidthProbe, request: ChoiceRequest) => Promise<Choice>;
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

/** Root mean square of the old units' values: the size that new ones of the same kind are given. 0 where all are zero. */
export function oldSize({ slices, oldUnits }: FillRequest): number {
  let squares = 0;
  for (let unit = 0; unit < oldUnits; unit++) {
    for (const value of slices.get(unit)) squares += value * value;
  }
  return Math.sqrt(squares / Math.max(1, oldUnits * slices.length));
}

/**
 * Why a strategy that decides over both sides of a unit cannot: a width that grows in another way than by free incoming
 * and outgoing weights (under a normalisation, tied, as keys) leaves it only one of them.
 */
export function refusesPartial({ method, parts }: Width): string | undefined {
  const free = method === "zero outgoing" && parts.every((one) => one.fill === "strategy" && !one.zeroBlocks);
  return free ? undefined : `its new units are made by ${method}, which leaves no choice of both their sides`;
}

/** Why a strategy cannot whose units cancel or replace one another in whatever reads them. */
export function refusesCopies(width: Width): string | undefined {
  return refusesPartial(width) ?? (width.copying() || undefined);
}
