import type { Choice } from "./choice.ts";
import type { Fills } from "./fills.ts";
import type { WidthProbe } from "./probe.ts";
import type { Width } from "./width.ts";

/** What a strategy that looks at data is asked for. */
export interface ChoiceRequest {
  /** New units. */
  readonly by: number;
  readonly seed: number;
}

/** Which values new units get: a record of pure functions, one for each role with a choice. */
export interface Strategy extends Fills {
  readonly name: string;
  /** One line for people. */
  readonly summary: string;
  /** Where it comes from. */
  readonly source: string;
  /** Whether outputs stay the same on every width that it does not refuse, as long as values are finite. */
  readonly preserves: boolean;
  /** Units come in multiples of this many. Default 1. */
  readonly multiple?: number;
  /** Why it cannot make units of a width that can grow; undefined if it can. */
  readonly refuses?: (width: Width) => string | undefined;
  /**
   * For strategies that need data: measures the width through the probe and chooses. A strategy without it needs no data.
   * Throws `ARGUMENT` if the measurements leave no choice, such as more units than the gradient has directions.
   */
  readonly choose?: (probe: WidthProbe, request: ChoiceRequest) => Promise<Choice>;
}

/**
 * Why a strategy that chooses both sides of a unit cannot make this one: a width that does not grow by free incoming
 * and outgoing weights (under a normalization, tied, as keys) leaves it only one of them.
 */
export function refusesPartial({ method, parts }: Width): string | undefined {
  const free = method === "zero outgoing" && parts.every((one) => one.fill === "strategy" && !one.zeroBlocks);
  return free ? undefined : `its new units are made by ${method}, which leaves no choice of both their sides`;
}

/** Why a strategy whose units cancel or replace one another in what reads them cannot make units of this width. */
export function refusesCopies(width: Width): string | undefined {
  return refusesPartial(width) ?? (width.copying() || undefined);
}
