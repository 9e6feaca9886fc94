import { figure, percent, plural } from "../../tensor/number-text.ts";
import { decrease, meanOfLast } from "./losses.ts";
import type { Plateau, RuledPolicy, ScoreThreshold } from "./policy.ts";
import type { ScoreTaken } from "./scores.ts";
import type { Situation } from "./situation.ts";
import type { ControllerState } from "./state.ts";

/** Why it is time to grow, or to score; undefined if it is not. */
export function momentOf(
  { when, budget }: RuledPolicy,
  state: ControllerState,
  { step, flops }: Pick<Situation, "step" | "flops">,
): string | undefined {
  if ("every" in when) {
    const { every, from = every } = when;
    return step >= from && (step - from) % every === 0 ? `every ${plural(every, "update")}` : undefined;
  }
  if ("at" in when) return when.at.includes(step) ? `asked for after ${plural(step, "update")}` : undefined;
  if ("plateau" in when) return plateauOf(when.plateau, state, step);
  if ("score" in when) return step > 0 && step % when.score.every === 0 ? "" : undefined;
  const shares = sharesSpent(when.budget.every, budget?.flops, flops);
  return shares > state.shares ? `${percent(shares * when.budget.every)} of the FLOPs are spent` : undefined;
}

/** How many of the budget's shares have been spent. */
export function sharesSpent(every: number, budget: number | undefined, flops: number): number {
  return budget === undefined ? 0 : Math.floor(flops / (every * budget));
}

function plateauOf(rule: Plateau, { losses, since }: ControllerState, step: number): string | undefined {
  const { window, minGain, patience = 1, atLeast = 0 } = rule;
  if (step - since < atLeast || losses.length < window * (patience + 1)) return undefined;
  const means = Array.from({ length: patience + 1 }, (_, back) =>
    meanOfLast(back === 0 ? losses : losses.slice(0, -back * window), window),
  ) as number[];
  const gains = means.slice(1).map((before, back) => decrease(before, means[back] as number));
  if (!gains.every((gain) => gain < minGain)) return undefined;
  const [last = 0] = gains;
  const fell = `the loss ${last < 0 ? "rose" : "fell"} by ${percent(Math.abs(last))} over the last ${plural(window, "update")}`;
  return patience === 1
    ? `${fell}, not by ${percent(minGain)}`
    : `${fell}, and in none of ${patience} such windows by ${percent(minGain)}`;
}

/** Whether the scores ask for growth, as a sentence with the number. */
export function promise(
  { above }: ScoreThreshold,
  scores: readonly ScoreTaken[],
): { readonly enough: boolean; readonly why: string } {
  const best = scores.reduce<ScoreTaken | undefined>(
    (most, score) => (most === undefined || (score.gains[0] ?? 0) > (most.gains[0] ?? 0) ? score : most),
    undefined,
  );
  const gain = best?.gains[0] ?? 0;
  const enough = gain > above;
  const why = `the best new unit, of ${best?.width ?? "no width"}, promises to lower the loss by ${figure(gain)}, ${enough ? "" : "not "}more than ${figure(above)}`;
  return { enough, why };
}
