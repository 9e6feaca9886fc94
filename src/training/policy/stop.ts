import { amount, percent, plural } from "../../tensor/number-text.ts";
import type { Budget, RuledPolicy, Stop } from "./policy.ts";
import type { Situation } from "./situation.ts";
import type { ControllerState } from "./state.ts";

/** Why growing ends for all widths; undefined if it continues. */
export function growingEnded(
  stop: Stop | undefined,
  state: ControllerState,
  step: number,
): string | undefined {
  if (stop === undefined) return undefined;
  const { growths, steps, noGain } = stop;
  if (steps !== undefined && step > steps) return `nothing grows after ${plural(steps, "update")}`;
  if (growths !== undefined && state.growths >= growths)
    return `${plural(growths, "growth")} ${growths === 1 ? "was" : "were"} allowed`;
  if (noGain === undefined || state.gains.length < noGain.growths) return undefined;
  const last = state.gains.slice(-noGain.growths);
  if (last.some((gain) => gain >= noGain.minGain)) return undefined;
  return `the last ${plural(last.length, "growth")} lowered the loss by ${last.map(percent).join(", ")}, not by ${percent(noGain.minGain)}`;
}

/**
 * Why `next` more FLOPs, or any more time, would exceed the budget of the run; undefined if they fit. Time is
 * checked after the fact: `seconds` are those spent.
 */
export function overBudget(
  budget: Budget | undefined,
  { flops, seconds, next }: { readonly flops: number; readonly seconds: number; readonly next: number },
): string | undefined {
  if (budget?.flops !== undefined && flops + next > budget.flops)
    return `${amount(flops)} of ${amount(budget.flops)} FLOPs are spent, and ${amount(next)} more would exceed them`;
  if (budget?.seconds !== undefined && seconds >= budget.seconds)
    return `${amount(seconds)} of ${amount(budget.seconds)} seconds are spent`;
  return undefined;
}

/** Why the run ends before its next update. */
export function runEnded(
  { budget }: RuledPolicy,
  { seconds }: ControllerState,
  { flops, stepFlops }: Pick<Situation, "flops" | "stepFlops">,
): string | undefined {
  return overBudget(budget, { flops, seconds, next: stepFlops });
}
