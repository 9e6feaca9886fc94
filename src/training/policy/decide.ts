import { listed, plural } from "../../tensor/number-text.ts";
import { type DueGrowth, dueGrowths } from "./growth-schedule.ts";
import { mostUnits, unitsFor, withinLimits } from "./how-many.ts";
import { decrease, smoothed } from "./losses.ts";
import { needsScores, type RuledPolicy, type ScheduledPolicy } from "./policy.ts";
import type { ScoreTaken } from "./scores.ts";
import type { Situation, WidthNow } from "./situation.ts";
import type { ControllerDecision, ControllerState, OpenGrowth } from "./state.ts";
import { growingEnded, overBudget, runEnded } from "./stop.ts";
import { bar, judge, unbar } from "./trial.ts";
import { momentOf, promise, sharesSpent } from "./when.ts";
import { type Candidate, chooseWhere, ranking } from "./where.ts";

/** What had to be measured for a decision. */
export interface MeasuredScores {
  readonly scores?: readonly ScoreTaken[];
  /** Loss on the validation data. */
  readonly validation?: number;
  /** FLOPs of measuring a growth at the present size. */
  readonly growingFlops?: number;
}

/** What is to be done now and the state afterwards, or what must be measured first. */
export type DecisionOutcome =
  | { readonly decision: ControllerDecision; readonly state: ControllerState }
  | { readonly ask: "scores"; readonly widths: readonly string[]; readonly units: number }
  | { readonly ask: "validation" }
  | { readonly ask: "growing" };

/** What `make` adds to a decision. */
type Told = Pick<ControllerDecision, "action" | "why"> & Partial<ControllerDecision>;

/**
 * The next decision between two updates, or undefined if training is to continue. Pure: equal arguments give equal
 * outcomes. It is called again, with the state that it returned, until there is no decision.
 */
export function decide(
  state: ControllerState,
  situation: Situation,
  measured: MeasuredScores = {},
): DecisionOutcome | undefined {
  const { policy } = state;
  if ("events" in policy) return scheduled(policy, state, situation);
  const judged = judgeTrial(policy, state, situation, measured);
  if (judged !== undefined || situation.last) return judged;
  const over = runEnded(policy, state, situation);
  if (over !== undefined) {
    if (state.over !== undefined) return undefined;
    return make({ ...state, over }, situation, { action: "stop", why: `the run ends: ${over}` });
  }
  const idle = state.ended !== undefined || state.handled >= situation.step || state.open?.trial === true;
  const moment = idle ? undefined : momentOf(policy, state, situation);
  return moment === undefined
    ? undefined
    : atMoment(policy, seen(state, policy), situation, measured, moment);
}

function make(state: ControllerState, { step, flops }: Situation, told: Told): DecisionOutcome {
  const decision: ControllerDecision = { step, growths: [], flops, ...told };
  return { decision, state: { ...state, decisions: [...state.decisions, decision] } };
}

/** Growths that were decided beforehand. */
function scheduled(
  policy: ScheduledPolicy,
  state: ControllerState,
  situation: Situation,
): DecisionOutcome | undefined {
  const { step, last, widths } = situation;
  if (last || state.handled >= step) return undefined;
  const sizes = new Map(widths.map(({ id, size }) => [id, size]));
  const growths = dueGrowths(policy.events, step, (width) => sizes.get(width) ?? Number.NaN);
  if (growths.length === 0) return undefined;
  return make({ ...state, handled: step }, situation, {
    action: "grow",
    growths,
    why: `asked for after ${plural(step, "update")}`,
  });
}

/** Keeps or undoes a growth whose trial is over. */
function judgeTrial(
  policy: RuledPolicy,
  state: ControllerState,
  situation: Situation,
  measured: MeasuredScores,
): DecisionOutcome | undefined {
  const { open } = state;
  const { trial } = policy;
  if (open?.trial !== true || trial === undefined || situation.step < open.step + trial.steps)
    return undefined;
  const byValidation = trial.loss === "validation";
  if (byValidation && measured.validation === undefined) return { ask: "validation" };
  const loss = byValidation ? measured.validation : smoothed(policy, state.losses);
  const { paid, gain, why } = judge(trial, open, loss);
  const gains = gain === undefined ? state.gains : [...state.gains, gain];
  const closed = { ...state, open: undefined, gains };
  const { growths } = open;
  if (paid)
    return make({ ...closed, barred: unbar(state.barred, open) }, situation, {
      action: "keep",
      growths,
      why,
    });
  const undone: ControllerState = {
    ...closed,
    ...open.before,
    // The step that it returns to is handled again, without these widths.
    handled: open.step - 1,
    grown: counted(state.grown, growths, -1),
    growths: state.growths - 1,
    barred: bar(state.barred, open, trial),
  };
  return make(undone, situation, { action: "undo", growths, why, backTo: open.step });
}

/** Records what an earlier growth without a trial has gained by now. */
function seen(state: ControllerState, policy: RuledPolicy): ControllerState {
  const { open, losses, gains } = state;
  if (open === undefined) return state;
  const now = smoothed(policy, losses);
  const known = open.loss !== undefined && now !== undefined;
  return { ...state, open: undefined, gains: known ? [...gains, decrease(open.loss, now)] : gains };
}

function counted(
  grown: ControllerState["grown"],
  growths: readonly DueGrowth[],
  by: number,
): ControllerState["grown"] {
  const changed = growths.map(({ width }): [string, number] => [width, (grown[width] ?? 0) + by]);
  return { ...grown, ...Object.fromEntries(changed) };
}

/** It is time to grow: where, by how much, or why not. */
function atMoment(
  policy: RuledPolicy,
  state: ControllerState,
  situation: Situation,
  measured: MeasuredScores,
  moment: string,
): DecisionOutcome {
  const { when, where, stop, budget, trial } = policy;
  const { step, flops, widths } = situation;
  const handled: ControllerState = {
    ...state,
    handled: step,
    ...("budget" in when ? { shares: sharesSpent(when.budget.every, budget?.flops, flops) } : {}),
  };
  const end = (why: string) =>
    make({ ...handled, ended: why }, situation, { action: "stop", why: `growing ends: ${why}` });
  const skip = (why: string, scores?: ControllerDecision["scores"]) =>
    // A plateau must be found again.
    make({ ...handled, ...("plateau" in when ? { losses: [] } : {}) }, situation, {
      action: "skip",
      why: sentence(moment, why),
      ...(scores === undefined ? {} : { scores }),
    });

  const ended = growingEnded(stop, state, step);
  if (ended !== undefined) return end(ended);
  const roomy = widths
    .map((width) => ({ ...width, by: most(policy, state, situation, width) }))
    .filter(({ by }) => by > 0);
  if (roomy.length === 0) return end(`no room is left for ${listed(widths.map(({ id }) => id))}`);
  const free = roomy.filter(({ id }) => step >= (state.barred[id]?.until ?? 0));
  if (free.length === 0)
    return skip(
      `${listed(roomy.map(({ id }) => id))} ${roomy.length === 1 ? "has" : "have"} not paid off recently and ${roomy.length === 1 ? "waits" : "wait"}`,
    );

  const { scores } = measured;
  if (needsScores(policy) && scores === undefined) {
    const tried = free.map(({ id, by }) => situation.tryingFlops(id, by));
    const next = Math.max(state.scoringFlops, total(tried));
    const over = overBudget(budget, { flops, seconds: state.seconds, next });
    if (over !== undefined) return end(`${over} by scoring`);
    return { ask: "scores", widths: free.map(({ id }) => id), units: Math.max(...free.map(({ by }) => by)) };
  }
  const able = free.map((width) => candidate(policy, state, situation, width, scores));
  const ranked = scores === undefined ? undefined : ranking(able, rankedPer(policy));
  if ("score" in when) {
    const { enough, why } = promise(when.score, scores ?? []);
    if (!enough) return skip(why, ranked);
    moment = why;
  }
  const willing = able.filter(({ by }) => by > 0);
  const choice = chooseWhere(
    where,
    willing,
    widths.map(({ id }) => id),
    state.turn,
  );
  if (choice.widths.length === 0) return skip("no new unit promises to lower the loss", ranked);
  const { growths, whys } = amounts(policy, state, situation, choice.widths);

  if (budget?.flops !== undefined) {
    if (measured.growingFlops === undefined) return { ask: "growing" };
    const choosing = growths.map(({ width, by }) => situation.tryingFlops(width, by));
    const next =
      measured.growingFlops * growths.length * growthFactor(growths, widths) ** 2 +
      (situation.chooses ? total(choosing) : 0);
    const over = overBudget(budget, { flops, seconds: state.seconds, next });
    if (over !== undefined) return end(`${over} by growing`);
  }
  if (trial?.loss === "validation" && measured.validation === undefined) return { ask: "validation" };

  const { losses, since, shares } = state;
  const open: OpenGrowth = {
    step,
    growths,
    loss: trial?.loss === "validation" ? measured.validation : smoothed(policy, losses),
    before: { losses, since, shares },
    trial: trial !== undefined,
  };
  const after: ControllerState = {
    ...handled,
    losses: [],
    since: step,
    turn: choice.turn,
    grown: counted(state.grown, growths, 1),
    growths: state.growths + 1,
    open,
  };
  return make(after, situation, {
    action: "grow",
    growths,
    why: sentence(moment, choice.why, ...whys),
    ...(ranked === undefined ? {} : { scores: ranked }),
  });
}

/**
 * By what factor the widths grow, taken together. Passes cost at most its square: a weight has a width on no more than two
 * axes.
 */
function growthFactor(growths: readonly DueGrowth[], widths: readonly WidthNow[]): number {
  return growths.reduce((product, { width, by }) => {
    const { size = by } = widths.find(({ id }) => id === width) ?? {};
    return (product * (size + by)) / size;
  }, 1);
}

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

const sentence = (...parts: readonly string[]) => parts.filter((part) => part !== "").join("; ");

const rankedPer = ({ where }: RuledPolicy) => (where !== undefined && "best" in where ? where.best : "units");

/** The most units that a width can grow by now. */
function most(
  policy: RuledPolicy,
  { grown }: ControllerState,
  { parametersAfter }: Situation,
  width: WidthNow,
): number {
  const wanted = mostUnits(policy.howMany, width, grown[width.id] ?? 0);
  return withinLimits(width, wanted, policy, [], parametersAfter).by;
}

function candidate(
  policy: RuledPolicy,
  { grown }: ControllerState,
  { parametersAfter }: Situation,
  width: WidthNow,
  scores: readonly ScoreTaken[] | undefined,
): Candidate {
  const score = scores?.find((one) => one.width === width.id);
  const wanted = unitsFor(policy.howMany, width, grown[width.id] ?? 0, score).by;
  return { ...width, score, by: withinLimits(width, wanted, policy, [], parametersAfter).by };
}

/** Units for each of the chosen widths, each in the room that those before it leave. */
function amounts(
  policy: RuledPolicy,
  { grown }: ControllerState,
  { parametersAfter }: Situation,
  chosen: readonly Candidate[],
): { readonly growths: readonly DueGrowth[]; readonly whys: readonly string[] } {
  const growths: DueGrowth[] = [];
  const whys: string[] = [];
  for (const width of chosen) {
    const wanted = unitsFor(policy.howMany, width, grown[width.id] ?? 0, width.score);
    const { by, why } = withinLimits(width, wanted.by, policy, growths, parametersAfter);
    if (by > 0) growths.push({ width: width.id, by });
    const name = chosen.length > 1 ? `${width.id}: ` : "";
    const text = sentence(wanted.why, why);
    if (text !== "") whys.push(`${name}${text}`);
  }
  return { growths, whys };
}
