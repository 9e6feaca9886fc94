import type { Model } from "../../graph/model.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { checkOptionNames } from "../../tensor/known-options.ts";
import { Analysis } from "../find/analysis.ts";
import type { AxisMap } from "../find/axis-map.ts";
import { widthOf } from "../find/widths.ts";
import type { Width } from "../plan/width.ts";
import { shrinkPatch } from "./shrink-apply.ts";
import { type ChosenShrink, chooseShrink, type ShrinkChoice, type ShrinkEvidence } from "./shrink-choice.ts";
import { type Exactness, planShrinkOf, type ShrinkPlan } from "./shrink-plan.ts";

/** A width to shrink; `all` stands for every one that has units of the choice. */
export type Shrinking = ShrinkChoice & { readonly width: string };

export interface ShrinkOptions {
  /** Evidence for choices that need data, from the original model. */
  readonly evidence?: Omit<ShrinkEvidence, "parameters">;
}

/** A model that has shrunk, and how. */
export interface ShrunkModel {
  readonly model: Model;
  /** What was done, in order. */
  readonly steps: readonly ShrinkPlan[];
  /** Units that were considered and stay, and widths that `all` left unchanged. */
  readonly left: readonly { readonly width: string; readonly unit?: number; readonly reason: string }[];
}

/**
 * Takes units out of a model, one shrink after the other. Units are chosen in the original model, so `evidence` is valid
 * for all shrinks. Pure. Throws `UNKNOWN_WIDTH`, `NOT_SHRINKABLE` or `ARGUMENT`.
 */
export function shrink(
  model: Model,
  shrinkings: readonly Shrinking[],
  options: ShrinkOptions = {},
): ShrunkModel {
  checkOptionNames("shrink", options, { evidence: true });
  const { evidence = {} } = options;
  const original = { ...evidence, parameters: model.graph.parameters };
  const left: { width: string; unit?: number; reason: string }[] = [];
  const chosen: Chosen[] = [];
  const analysis = new Analysis(model);
  const { flows, widths } = analysis;
  for (const { width: id, ...choice } of shrinkings) {
    if (id !== "all") {
      chosen.push({ ...chooseShrink(flows, widthOf(widths, id), choice, original), choice, all: false });
      continue;
    }
    const before = chosen.length;
    for (const width of widths) {
      try {
        chosen.push({ ...chooseShrink(flows, width, choice, original), choice, all: true });
      } catch (error) {
        if (!(error instanceof EspalierError) || error.code !== "NOT_SHRINKABLE") throw error;
        left.push({ width: width.id, reason: error.rule });
      }
    }
    if (chosen.length === before) {
      throw new EspalierError("NOT_SHRINKABLE", {
        thing: "all widths",
        rule:
          widths.length === 0
            ? "needs at least one that can shrink, but the model has none"
            : "none can shrink this way",
        received: left.map(({ width, reason }) => `${width}: ${reason}`),
      });
    }
  }
  const steps: ShrinkPlan[] = [];
  for (const one of chosen) {
    const now = steps.length === 0 ? one : chooseAgain(analysis, one, evidence.examples ?? 0);
    if ("reason" in now) {
      left.push(now);
      continue;
    }
    analysis.apply(shrinkPatch(flows.graph, now.plan));
    steps.push(now.plan);
    left.push(...now.left.map((unit) => ({ width: now.plan.width, ...unit })));
  }
  return { model: analysis.model, steps, left };
}

/** What was chosen, by which choice, and whether for one of all widths. */
interface Chosen extends ChosenShrink {
  readonly choice: ShrinkChoice;
  readonly all: boolean;
}

/**
 * The same units, planned in a model in which other widths have shrunk. If an earlier shrink has also taken units of
 * this width (they are on the same axis), choices that need only weights are made again; others are left.
 */
function chooseAgain(
  analysis: Analysis,
  chosen: Chosen,
  examples: number,
): ChosenShrink | { readonly width: string; readonly reason: string } {
  const { plan, left, choice, all } = chosen;
  const { flows } = analysis;
  const width = analysis.find(plan.width);
  if (width?.size === plan.from) return { plan: planAgain(flows, width, plan, examples), left };
  if (!all) {
    throw new EspalierError("ARGUMENT", {
      thing: `shrinking ${plan.width}`,
      rule: "may be asked for once, and not together with a width that shares units with it",
      received: plan.width,
      remedy: "Shrink the result in a second call.",
    });
  }
  const shared = {
    width: plan.width,
    reason: "it shares units with a width that has shrunk: shrink once more",
  };
  const byWeights = "remove" in choice && choice.remove === "identical";
  if (width === undefined || !byWeights) return shared;
  try {
    return chooseShrink(flows, width, choice, { parameters: flows.parameters });
  } catch (error) {
    if (!(error instanceof EspalierError) || error.code !== "NOT_SHRINKABLE") throw error;
    return { width: plan.width, reason: error.rule };
  }
}

/** The units of a plan, planned again. */
function planAgain(flows: AxisMap, width: Width, { gone }: ShrinkPlan, examples: number): ShrinkPlan {
  const merged = new Map<number, number[]>();
  for (const { unit, into } of gone) {
    if (into !== undefined) merged.set(into, [...(merged.get(into) ?? [into]), unit]);
  }
  const of = (exactness: Exactness) => gone.filter((unit) => unit.exactness === exactness);
  return planShrinkOf(
    flows,
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
