import type { Model } from "../../graph/model.ts";
import { opsetOf } from "../../ops/rewrites/upgrade.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { type AxisMap, flowMap } from "../find/axis-map.ts";
import { tryGrowth } from "../find/trial.ts";
import { graphEdits, type NumberEdit, type RepairEdit } from "../plan/plan.ts";
import type { NodeRepair, Width, WidthAxis, WidthPart } from "../plan/width.ts";
import { type ExactnessVerdict, ShrinkJudge } from "./shrink-exactness.ts";

/**
 * How close a network without some units is to the one with them:
 * - `exact`: the same function, proved from the weights
 * - `on the data seen`: the same on the given examples
 * - `approximate`: another function
 */
export type Exactness = "exact" | "on the data seen" | "approximate";

/** A unit that goes. */
export interface GoneUnit {
  readonly unit: number;
  /** The unit that takes over its outgoing weights, if any. */
  readonly into?: number;
  /** What they are multiplied by before they are added; default 1. */
  readonly times?: number;
  readonly exactness: Exactness;
  readonly reason: string;
}

/** What a shrink does, as plain JSON: it can be printed, stored and replayed. */
export interface ShrinkPlan {
  readonly width: string;
  /** Units before and after. */
  readonly from: number;
  readonly to: number;
  /** The weakest among all the units that go. */
  readonly exactness: Exactness;
  /** In ascending order. */
  readonly gone: readonly GoneUnit[];
  /** Which axis of which parameter shrinks, and where its units are on it (layout). */
  readonly edits: readonly Pick<WidthPart, "parameter" | "axis" | "role" | "layout">[];
  readonly numbers: readonly NumberEdit[];
  readonly repairs: readonly RepairEdit[];
  /** The axes of activations that shrink; the result is checked against them. */
  readonly carried: readonly WidthAxis[];
}

export interface ShrinkRequest {
  /** Units to take out, numbered from 0. */
  readonly remove?: readonly number[];
  /** Groups of units to merge: the first of each stays, and the outgoing weights of the others are added to its own. */
  readonly merge?: readonly (readonly number[])[];
}

export interface ShrinkGrounds {
  /** By merged unit, the factor on its outgoing weights. Such a merge is not exact. */
  readonly times?: ReadonlyMap<number, number>;
  /** Units whose activations are zero on every example seen, and how many examples those were. */
  readonly silent?: { readonly units: ReadonlySet<number>; readonly examples: number };
  /** By unit, why it goes even though it cannot go exactly. */
  readonly accepted?: ReadonlyMap<number, string>;
}

/**
 * Plans to take units out of a width. Removing a unit is exact if its outgoing weights are zero or its activation is
 * zero (the mean of the others, under a LayerNorm) on every input; merging is exact if units have the same incoming
 * weights, shift and scale. Throws `ARGUMENT` for units that do not exist or are named twice, `NOT_SHRINKABLE` for
 * those that cannot go exactly and are not accepted. Changes nothing.
 */
export function planShrink(
  model: Model,
  width: Width,
  request: ShrinkRequest,
  grounds: ShrinkGrounds = {},
): ShrinkPlan {
  return planShrinkOf(flowMap(model.graph, opsetOf(model)), width, request, grounds);
}

/** Like {@link planShrink}, for a model whose axis rules have already been applied. */
export function planShrinkOf(
  flows: AxisMap,
  width: Width,
  request: ShrinkRequest,
  grounds: ShrinkGrounds = {},
): ShrinkPlan {
  const { remove = [], merge = [] } = request;
  if (!width.growable) throw notShrinkable(width, width.reason);
  const into = new Map(merge.flatMap(([kept, ...others]) => others.map((unit) => [unit, kept] as const)));
  checkUnits(width, remove, merge);
  const leaving = [...remove, ...into.keys()].sort((a, b) => a - b);
  const to = width.size - leaving.length;
  const judge = new ShrinkJudge(flows, width, new Set(leaving));
  const pool = judge.pool;
  const repairs = new Map<string, readonly NodeRepair[]>();
  const gone = leaving.map((unit): GoneUnit => {
    const kept = into.get(unit);
    const times = grounds.times?.get(unit);
    const place = kept === undefined ? { unit } : { unit, into: kept };
    const scaled: ExactnessVerdict = { exact: false, reason: "it is merged in proportion", repairs: [] };
    const verdict =
      kept === undefined ? judge.remove(unit) : times === undefined ? judge.merge(unit, kept) : scaled;
    if (verdict.exact) {
      repairs.set(JSON.stringify(verdict.repairs), verdict.repairs);
      return { ...place, exactness: "exact", reason: verdict.reason };
    }
    if (pool !== undefined) throw notExact(width, unit, `${pool} is computed over it: ${verdict.reason}`);
    repairs.set("[]", []);
    const { silent, accepted } = grounds;
    if (kept === undefined && silent?.units.has(unit) === true && !judge.hasFactors) {
      const reason = `zero on all ${silent.examples} examples seen`;
      return { ...place, exactness: "on the data seen", reason };
    }
    const reason = accepted?.get(unit);
    if (reason === undefined) throw notExact(width, unit, verdict.reason);
    const share = times === undefined ? {} : { times };
    return { ...place, ...share, exactness: "approximate", reason };
  });
  if (pool !== undefined && merge.length > 0 && !isEven(width, request))
    throw notShrinkable(width, unevenRule(pool));
  if (repairs.size > 1)
    throw notShrinkable(width, "the units to remove need different repairs: remove them one at a time");
  const [needed = []] = repairs.values();
  const shrunk = { ...width, repairs: needed };
  const trial = tryGrowth(flows.graph, shrunk, to);
  if ("blocked" in trial) throw notShrinkable(width, trial.blocked);
  return {
    width: width.id,
    from: width.size,
    to,
    exactness: weakest(gone),
    gone,
    edits: width.parts.map(({ parameter, axis, role, layout }) => ({ parameter, axis, role, layout })),
    ...graphEdits({ ...shrunk, written: trial.written }, to),
  };
}

function weakest(gone: readonly GoneUnit[]): Exactness {
  const order: readonly Exactness[] = ["approximate", "on the data seen", "exact"];
  return order.find((exactness) => gone.some((unit) => unit.exactness === exactness)) ?? "exact";
}

/** Every named unit must exist and be named once; at least one must go, and one must stay. */
function checkUnits(
  { id, size }: Width,
  remove: readonly number[],
  merge: readonly (readonly number[])[],
): void {
  const refuse = (rule: string, received: unknown): never => {
    throw new EspalierError("ARGUMENT", { thing: `shrinking ${id}`, rule, received });
  };
  const named = [...remove, ...merge.flat()];
  const wrong = named.find((unit) => !Number.isSafeInteger(unit) || unit < 0 || unit >= size);
  if (wrong !== undefined) refuse(`its units are numbered from 0 to ${size - 1}`, wrong);
  const twice = named.find((unit, index) => named.indexOf(unit) !== index);
  if (twice !== undefined) refuse("each unit may be named once", twice);
  const single = merge.find((group) => group.length < 2);
  if (single !== undefined) refuse("a group to merge needs two units or more", single);
  if (named.length === 0) refuse("needs units to remove or to merge", { remove, merge });
  if (remove.length === size) refuse(`must leave at least one of its ${size} units`, named.length);
}

/** Whether every unit is merged with equally many others: aggregates over the units do not notice that. */
export function isEven({ size }: Width, { remove = [], merge = [] }: ShrinkRequest): boolean {
  const even = merge.every((group) => group.length === merge[0]?.length);
  return even && remove.length === 0 && merge.flat().length === size;
}

export function unevenRule(pool: string): string {
  return `${pool} is computed over it, and changes unless every unit is merged with equally many others`;
}

function notExact(width: Width, unit: number, why: string): EspalierError {
  return new EspalierError("NOT_SHRINKABLE", {
    thing: `unit ${unit} of width "${width.id}"`,
    rule: `cannot go without changing what the network computes: ${why}`,
    received: { unit },
    remedy: "Only a choice by importance removes units that affect the outputs.",
  });
}

/** The error for a width of which nothing can go. */
export function notShrinkable(width: Pick<Width, "id" | "size">, why: string): EspalierError {
  return new EspalierError("NOT_SHRINKABLE", {
    thing: `width "${width.id}"`,
    rule: `cannot shrink this way: ${why}`,
    received: { size: width.size },
  });
}
