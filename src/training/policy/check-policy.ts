import { widthOf } from "../../growth/find/widths.ts";
import type { Width } from "../../growth/plan/width.ts";
import { scoreOf } from "../../growth/scores/index.ts";
import { strategyOf } from "../../growth/strategies/index.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { checkGrowths, growableWidth } from "./growth-schedule.ts";
import type { GrowthPolicy, HowMany, RuledPolicy, When, Where } from "./policy.ts";
import { readPolicy } from "./read-policy.ts";

/** What a policy is checked against: the run before the first decision. */
export interface PolicyFacts {
  readonly widths: readonly Width[];
  /** Trained parameters, in entries. */
  readonly parameters: number;
  /** FLOPs of one update. */
  readonly stepFlops: number;
  /** Updates done. */
  readonly step: number;
  /** Updates at which the run is complete; infinite if that is not known. */
  readonly steps: number;
  /** Whether there is validation data. */
  readonly validation: boolean;
}

/**
 * Refuses a policy that cannot do what it says in this run, before its first step. Throws `UNKNOWN_WIDTH` or
 * `NOT_GROWABLE` for a width, `ARGUMENT` for a budget below the start and for rules that contradict one another.
 */
export function checkPolicy(policy: GrowthPolicy, facts: PolicyFacts): void {
  readPolicy(policy);
  const strategy = policy.strategy === undefined ? undefined : strategyOf(policy.strategy);
  if (!("events" in policy)) checkRules(policy, facts);
  // Of events that a run has been through, such as the growth to a size that it has, only the widths can be checked.
  else if (facts.step === 0) checkGrowths(policy.events, facts.widths, facts.steps);
  else for (const { width } of policy.events) growableWidth(facts.widths, width);
  for (const width of growing(policy, facts.widths)) {
    const refusal = strategy?.refuses?.(width);
    if (refusal === undefined) continue;
    throw new EspalierError("NOT_GROWABLE", {
      thing: `width "${width.id}"`,
      rule: `cannot be widened by "${policy.strategy}": ${refusal}`,
      remedy: "Name other widths, or leave the strategy out.",
    });
  }
}

/** The widths that grow under a policy, as far as it says so. */
function growing(policy: GrowthPolicy, widths: readonly Width[]): readonly Width[] {
  if (!("events" in policy)) return allowedWidths(policy, widths);
  return policy.events.map(({ width }) => widthOf(widths, width));
}

function checkRules(policy: RuledPolicy, facts: PolicyFacts): void {
  if (policy.score !== undefined) scoreOf(policy.score);
  for (const id of namedWidths(policy)) growableWidth(facts.widths, id);
  if (!facts.widths.some((width) => width.growable)) {
    throw new EspalierError("NOT_GROWABLE", {
      thing: "growth policy",
      rule: "needs a model with a width that can grow",
      received: facts.widths.map(({ id, reason }) => `${id}: ${reason}`),
    });
  }
  checkWhen(policy, facts);
  checkSizes(policy, facts);
  checkBudget(policy, facts);
  if (policy.trial !== undefined && policy.trial.steps >= facts.steps) {
    throw refusal(
      "trial.steps",
      `must be less than the ${facts.steps} updates of the run, or no growth is ever judged`,
      policy.trial.steps,
      "Judge it sooner, or train longer.",
    );
  }
  if (policy.trial?.loss === "validation" && !facts.validation) {
    throw refusal("trial.loss", "needs validation data", "validation", 'Give some, or judge by "training".');
  }
}

/** The widths that may grow under a policy, in the order of the rule that names them. */
export function allowedWidths<W extends Pick<Width, "id" | "growable">>(
  policy: GrowthPolicy,
  widths: readonly W[],
): readonly W[] {
  const able = widths.filter((width) => width.growable);
  if ("events" in policy) return able;
  const named = namedBy(policy.where);
  const chosen =
    named === undefined ? able : named.flatMap((id) => able.find((width) => width.id === id) ?? []);
  return chosen.filter(({ id }) => mayGrow(policy.howMany, id));
}

function mayGrow(howMany: HowMany, id: string): boolean {
  return !("targets" in howMany) || Object.hasOwn(howMany.targets, id);
}

function namedBy(where: Where | undefined): readonly string[] | undefined {
  if (where === undefined) return undefined;
  if ("width" in where) return [where.width];
  if ("best" in where) return where.among;
  const list = "together" in where ? where.together : where.roundRobin;
  return list === "all" ? undefined : list;
}

function namedWidths({ where, howMany, stop }: RuledPolicy): readonly string[] {
  return [
    ...(namedBy(where) ?? []),
    ...("targets" in howMany ? Object.keys(howMany.targets) : []),
    ...Object.keys(stop?.widths ?? {}),
  ];
}

function checkWhen({ when, stop, budget }: RuledPolicy, { steps }: PolicyFacts): void {
  if ("budget" in when && budget?.flops === undefined) {
    throw refusal(
      "when.budget",
      "needs the budget of which it is a fraction",
      when.budget,
      "Add budget.flops, on the command line --grow-until flops=5e7.",
    );
  }
  const first = firstMoment(when);
  const end = Math.min(steps - 1, stop?.steps ?? Number.POSITIVE_INFINITY);
  if (first <= end) return;
  throw refusal(
    "when",
    `must come to a first moment before growing ends, after ${end} updates`,
    `a first moment after ${first}`,
    "Grow earlier or train longer.",
  );
}

/** The fewest updates after which a rule can let anything grow. */
function firstMoment(when: When): number {
  if ("every" in when) return when.from ?? when.every;
  if ("at" in when) return Math.min(...when.at);
  if ("plateau" in when) {
    const { window, patience = 1, atLeast = 0 } = when.plateau;
    return Math.max(window * (patience + 1), atLeast);
  }
  return "score" in when ? when.score.every : 0;
}

function checkSizes(policy: RuledPolicy, { widths, parameters }: PolicyFacts): void {
  const { howMany, stop, where } = policy;
  if (stop?.parameters !== undefined && stop.parameters <= parameters)
    throw refusal("stop.parameters", `must leave room above the ${parameters} there are`, stop.parameters);
  for (const [id, most] of Object.entries(stop?.widths ?? {})) largerThanNow("stop.widths", id, most, widths);
  const grows = allowedWidths(policy, widths);
  if ("targets" in howMany) {
    for (const [id, target] of Object.entries(howMany.targets)) {
      largerThanNow("howMany.targets", id, target, widths);
      const most = stop?.widths?.[id] ?? target;
      if (most >= target) continue;
      throw refusal(`howMany.targets.${id}`, `must not exceed stop.widths.${id}, which is ${most}`, target);
    }
    const aimless = (namedBy(where) ?? []).filter((id) => !mayGrow(howMany, id));
    if (aimless.length > 0)
      throw refusal(
        "howMany.targets",
        `must say what ${aimless.join(", ")} of \`where\` grows to`,
        howMany.targets,
      );
  }
  for (const { id, size, multiple } of grows) {
    const most = stop?.widths?.[id];
    if (most !== undefined && most < size + multiple)
      throw refusal(`stop.widths.${id}`, `must leave room for the ${multiple} units that it grows by`, most);
  }
}

function largerThanNow(path: string, id: string, size: number, widths: readonly Width[]): void {
  const now = widthOf(widths, id).size;
  if (size <= now) throw refusal(`${path}.${id}`, `must be more than the ${now} units there are`, size);
}

function checkBudget({ budget }: RuledPolicy, { stepFlops }: PolicyFacts): void {
  if (budget?.flops === undefined || budget.flops > stepFlops) return;
  throw refusal("budget.flops", `must be more than the ${stepFlops} FLOPs of one update`, budget.flops);
}

function refusal(path: string, rule: string, received: unknown, remedy?: string): EspalierError {
  const parts = { thing: `growth policy, ${path}`, rule, received };
  return new EspalierError("ARGUMENT", remedy === undefined ? parts : { ...parts, remedy });
}
