import type { Model } from "../graph/model.ts";
import { EspalierError } from "../tensor/errors.ts";
import { applyShrink } from "./shrink-apply.ts";
import { type ChosenShrink, chooseShrink, type ShrinkChoice, type ShrinkEvidence } from "./shrink-choice.ts";
import { type Exactness, planShrink, type ShrinkPlan } from "./shrink-plan.ts";
import { findWidths, widthOf } from "./widths.ts";

/** A width to shrink; `all` stands for every one that has units of the choice. */
export type Shrinking = ShrinkChoice & { readonly width: string };

export interface ShrinkOptions {
  /** What choices that need data look at, of the model as it is given. */
  readonly evidence?: Omit<ShrinkEvidence, "parameters">;
}

/** A model that has shrunk, and how. */
export interface ShrunkModel {
  readonly model: Model;
  /** What was done, in order. */
  readonly steps: readonly ShrinkPlan[];
  /** Units that were looked at and stay, and widths that `all` left as they were. */
  readonly left: readonly { readonly width: string; readonly unit?: number; readonly reason: string }[];
}

/**
 * Takes units out of a model, one shrink after the other. Units are chosen in the model as it is given, so `evidence` is
 * good for all. Pure. Throws `UNKNOWN_WIDTH`, `NOT_SHRINKABLE` or `ARGUMENT`.
 */
export function shrink(
  model: Model,
  shrinkings: readonly Shrinking[],
  { evidence = {} }: ShrinkOptions = {},
): ShrunkModel {
  const original = { ...evidence, parameters: model.graph.parameters };
  const left: { width: string; unit?: number; reason: string }[] = [];
  const chosen: ChosenShrink[] = [];
  const widths = findWidths(model);
  for (const { width: id, ...choice } of shrinkings) {
    if (id !== "all") {
      chosen.push(chooseShrink(model, widthOf(widths, id), choice, original));
      continue;
    }
    const before = chosen.length;
    for (const width of widths) {
      try {
        chosen.push(chooseShrink(model, width, choice, original));
      } catch (error) {
        if (!(error instanceof EspalierError) || error.code !== "NOT_SHRINKABLE") throw error;
        left.push({ width: width.id, reason: error.rule });
      }
    }
    if (chosen.length === before) {
      throw new EspalierError("NOT_SHRINKABLE", {
        thing: "all widths",
        rule: widths.length === 0 ? "must be there to shrink, and the model has none" : "none can shrink so",
        received: left.map(({ width, reason }) => `${width}: ${reason}`),
      });
    }
  }
  let shrunk = model;
  const steps: ShrinkPlan[] = [];
  for (const { plan, left: units } of chosen) {
    const now = steps.length === 0 ? plan : planAgain(shrunk, plan, evidence.examples ?? 0);
    shrunk = applyShrink(shrunk, now);
    steps.push(now);
    left.push(...units.map((unit) => ({ width: plan.width, ...unit })));
  }
  return { model: shrunk, steps, left };
}

/** The same units, planned in a model in which other widths have shrunk. */
function planAgain(model: Model, { width: id, from, gone }: ShrinkPlan, examples: number): ShrinkPlan {
  const width = widthOf(findWidths(model), id);
  if (width.size !== from) {
    throw new EspalierError("ARGUMENT", {
      thing: `shrinking ${id}`,
      rule: "may be asked for once",
      received: id,
    });
  }
  const merged = new Map<number, number[]>();
  for (const { unit, into } of gone) {
    if (into !== undefined) merged.set(into, [...(merged.get(into) ?? [into]), unit]);
  }
  const of = (exactness: Exactness) => gone.filter((unit) => unit.exactness === exactness);
  return planShrink(
    model,
    width,
    {
      remove: gone.flatMap(({ unit, into }) => (into === undefined ? [unit] : [])),
      merge: [...merged.values()],
    },
    {
      silent: { units: new Set(of("on the data seen").map(({ unit }) => unit)), examples },
      accepted: new Map(of("approximate").map(({ unit, reason }) => [unit, reason])),
      times: new Map(
        gone.flatMap(({ unit, times }) => (times === undefined ? [] : [[unit, times] as const])),
      ),
    },
  );
}
