import { figure, percent, plural } from "../../tensor/number-text.ts";
import { decrease } from "./losses.ts";
import type { Trial } from "./policy.ts";
import type { Barred, ControllerState, OpenGrowth } from "./state.ts";

/** How a trial went. */
export interface TrialVerdict {
  readonly paid: boolean;
  /** Relative decrease of the loss; undefined if there was no loss to compare with. */
  readonly gain: number | undefined;
  readonly why: string;
}

/** Judges a growth by the loss before it and now. */
export function judge(trial: Trial, open: OpenGrowth, now: number | undefined): TrialVerdict {
  if (open.loss === undefined || now === undefined)
    return { paid: true, gain: undefined, why: "there was no loss before it to compare with" };
  // A growth after which the loss is finite again has paid off; one that ends that has not.
  const gain = Number.isFinite(open.loss) ? decrease(open.loss, now) : Number.isFinite(now) ? 1 : 0;
  const paid = gain >= trial.minGain;
  const change = `the ${trial.loss ?? "training"} loss went from ${figure(open.loss)} to ${figure(now)} in ${plural(trial.steps, "update")}`;
  return {
    paid,
    gain,
    why: `${change}: by ${percent(gain)}, ${paid ? "at least" : "not by"} ${percent(trial.minGain)}`,
  };
}

/**
 * Bars the widths of a growth that did not pay off for the length of a trial, and twice as long each further time in
 * a row.
 */
export function bar(
  barred: ControllerState["barred"],
  { step, growths }: OpenGrowth,
  trial: Trial,
): Readonly<Record<string, Barred>> {
  const more = growths.map(({ width }): [string, Barred] => {
    const failures = (barred[width]?.failures ?? 0) + 1;
    return [width, { failures, until: step + trial.steps * 2 ** (failures - 1) }];
  });
  return { ...barred, ...Object.fromEntries(more) };
}

/** Forgets the failures of widths whose growth paid off. */
export function unbar(
  barred: ControllerState["barred"],
  { growths }: OpenGrowth,
): Readonly<Record<string, Barred>> {
  const paid = new Set(growths.map(({ width }) => width));
  return Object.fromEntries(Object.entries(barred).filter(([width]) => !paid.has(width)));
}
