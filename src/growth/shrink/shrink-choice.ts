import { EspalierError } from "../../tensor/errors.ts";
import { deadUnits, type Evidence, gradientNorms } from "../examine/diagnose.ts";
import { equalUnits, redundantUnits, silentUnits } from "../examine/redundant.ts";
import type { AxisMap } from "../find/axis-map.ts";
import { type ImportanceName, importanceOf } from "../importance/index.ts";
import type { Width } from "../plan/width.ts";
import { ShrinkJudge } from "./shrink-exactness.ts";
import {
  isEven,
  notShrinkable,
  planShrinkOf,
  type ShrinkGrounds,
  type ShrinkPlan,
  type ShrinkRequest,
  unevenRule,
} from "./shrink-plan.ts";

/**
 * Which units go:
 * - `dead`: those without a gradient that are zero on every example, or that can go exactly for another reason
 * - `identical`: all but one of each group of units that are equal except for their outgoing weights
 * - `redundant`: both
 * - `collapsing`: all but one of each group that is becoming one; not exact
 * - numbers: those units, if it can be done exactly
 * - `least`: this number of the least important by a score; not exact
 */
export type ShrinkChoice =
  | {
      readonly remove:
        | "dead"
        | "identical"
        | "redundant"
        | "collapsing"
        | readonly number[]
        | { readonly least: number; readonly by: ImportanceName };
    }
  /** Groups of equal units to merge: the first of each stays. */
  | { readonly merge: readonly (readonly number[])[] };

/** What a choice is based on; some need only the weights. */
export interface ShrinkEvidence extends Partial<Evidence> {
  readonly parameters: Evidence["parameters"];
  /** How many examples the batch has. */
  readonly examples?: number;
}

/** A plan, and units that were considered and stay. */
export interface ChosenShrink {
  readonly plan: ShrinkPlan;
  readonly left: readonly { readonly unit: number; readonly reason: string }[];
}

/** A choice in words, for records and errors. */
export function choiceName(choice: ShrinkChoice): string {
  if ("merge" in choice) return "merge";
  const { remove } = choice;
  if (typeof remove === "string") return remove;
  return "least" in remove ? `least ${remove.least} by ${remove.by}` : "units";
}

const kinds: readonly unknown[] = ["dead", "identical", "redundant", "collapsing"];

/** Throws `ARGUMENT` for a word that names no kind of unit: JavaScript has no types to refuse it. */
function checkRemove(remove: unknown): void {
  if (typeof remove === "object" ? remove !== null : kinds.includes(remove)) return;
  throw new EspalierError("ARGUMENT", {
    thing: "units to remove",
    rule: `must be ${kinds.join(", ")}, a list of unit numbers or { least, by }`,
    received: remove,
  });
}

/**
 * Chooses units of a width and plans their removal. Throws `ARGUMENT` for a choice that needs data and has none, and
 * what {@link planShrinkOf} throws; `NOT_SHRINKABLE` if the choice matches no unit.
 */
export function chooseShrink(
  flows: AxisMap,
  width: Width,
  choice: ShrinkChoice,
  evidence: ShrinkEvidence,
): ChosenShrink {
  if (!width.growable) throw notShrinkable(width, width.reason);
  if ("merge" in choice) return { plan: planShrinkOf(flows, width, { merge: choice.merge }), left: [] };
  const { remove } = choice;
  checkRemove(remove);
  if (remove === "collapsing") return mergeCollapsing(flows, width, evidence);
  if (typeof remove === "string") return removeRedundant(flows, width, remove, evidence);
  if ("least" in remove) return { plan: removeLeast(flows, width, remove, evidence), left: [] };
  return { plan: planShrinkOf(flows, width, { remove }, groundsOf(width, evidence)), left: [] };
}

function removeRedundant(
  flows: AxisMap,
  width: Width,
  which: "dead" | "identical" | "redundant",
  evidence: ShrinkEvidence,
): ChosenShrink {
  const left: { unit: number; reason: string }[] = [];
  const dead = which === "identical" ? [] : deadUnits(width, whole(width, evidence));
  const grounds = groundsOf(width, evidence);
  const judge = new ShrinkJudge(flows, width, new Set(dead.map(({ unit }) => unit)));
  const { pool } = judge;
  const remove: number[] = [];
  const norms = gradientNorms(
    width,
    evidence.gradients ?? new Map(),
    dead.map(({ unit }) => unit),
  );
  for (const [index, { unit, reason }] of dead.entries()) {
    // For example, a unit that was born with zero incoming weights.
    if ((norms[index] as number) > 0) {
      left.push({ unit, reason: `${reason}, but it has a gradient to learn by` });
      continue;
    }
    const verdict = judge.remove(unit);
    const silent = grounds.silent?.units.has(unit) === true && pool === undefined && !judge.hasFactors;
    if (verdict.exact || silent) remove.push(unit);
    else left.push({ unit, reason: `${reason}, but ${verdict.reason}` });
  }
  const going = new Set(remove);
  let merge: (readonly number[])[] = [];
  const groups = which === "dead" ? [] : equalUnits(width, evidence.parameters);
  for (const group of groups) {
    const [kept, ...others] = group.filter((unit) => !going.has(unit));
    const judged = others.map((unit) => ({ unit, ...judge.merge(unit, kept as number) }));
    left.push(...judged.filter(({ exact }) => !exact).map(({ unit, reason }) => ({ unit, reason })));
    const equal = judged.filter(({ exact }) => exact).map(({ unit }) => unit);
    if (equal.length > 0) merge.push([kept as number, ...equal]);
  }
  if (pool !== undefined && merge.length > 0 && !isEven(width, { remove, merge })) {
    left.push(...merge.flatMap(([, ...units]) => units.map((unit) => ({ unit, reason: unevenRule(pool) }))));
    merge = [];
  }
  if (remove.length + merge.length === 0) throw nothingLike(width, which, left);
  return { plan: planShrinkOf(flows, width, { remove, merge }, grounds), left };
}

function mergeCollapsing(flows: AxisMap, width: Width, evidence: ShrinkEvidence): ChosenShrink {
  const { collapsing } = redundantUnits(width, whole(width, evidence));
  if (collapsing.length === 0) throw nothingLike(width, "collapsing", []);
  const request: ShrinkRequest = { merge: collapsing.map(({ units }) => units) };
  const times = new Map(collapsing.flatMap((group) => [...group.times]));
  const accepted = new Map(
    collapsing.flatMap(({ units: [kept, ...others] }) =>
      others.map((unit) => [unit, `collapsing with unit ${kept}`] as const),
    ),
  );
  return { plan: planShrinkOf(flows, width, request, { times, accepted }), left: [] };
}

function removeLeast(
  flows: AxisMap,
  width: Width,
  { least, by }: { readonly least: number; readonly by: string },
  evidence: ShrinkEvidence,
): ShrinkPlan {
  const importance = importanceOf(by);
  if (!Number.isSafeInteger(least) || least < 1 || least >= width.size) {
    throw new EspalierError("ARGUMENT", {
      thing: `shrinking ${width.id}`,
      rule: `can take out from 1 to ${width.size - 1} of its ${width.size} units`,
      received: least,
    });
  }
  for (const kind of importance.needs)
    if (evidence[kind] === undefined) throw needsData(width, importance.name);
  const full = { activations: new Map(), gradients: new Map(), ...evidence };
  const scores = importance.score(width, full);
  // Of equally important units, the later one goes: it is younger.
  const order = scores
    .map((score, unit) => ({ score, unit }))
    .sort((a, b) => a.score - b.score || b.unit - a.unit);
  const going = order.slice(0, least);
  const accepted = new Map(
    going.map(({ unit, score }) => [unit, `least by ${importance.name}: ${score.toPrecision(3)}`]),
  );
  return planShrinkOf(flows, width, { remove: going.map(({ unit }) => unit) }, { accepted });
}

function groundsOf(width: Width, { activations, examples = 0 }: ShrinkEvidence): ShrinkGrounds {
  return activations === undefined ? {} : { silent: { units: silentUnits(width, activations), examples } };
}

function whole(width: Width, { parameters, gradients, activations }: ShrinkEvidence): Evidence {
  if (gradients === undefined || activations === undefined) throw needsData(width, "this choice");
  return { parameters, gradients, activations };
}

function needsData({ id }: Width, what: string): EspalierError {
  return new EspalierError("ARGUMENT", {
    thing: `shrinking ${id}`,
    rule: `${what} needs data`,
    received: "no evidence",
    remedy: "Give data, or choose by weights alone: identical units, or weightNorm.",
  });
}

function nothingLike(width: Width, which: string, left: ChosenShrink["left"]): EspalierError {
  const [first] = left;
  const others = first === undefined ? "" : `; ${left.length} stay, as unit ${first.unit}: ${first.reason}`;
  const what = which === "redundant" ? "dead or identical" : which;
  return notShrinkable(width, `it has no ${what} units that can go${others}`);
}
