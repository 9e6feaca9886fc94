import type { Feeds } from "../../engine/session.ts";
import type { Model } from "../../graph/model.ts";
import { flowMap } from "../../growth/find/axis-map.ts";
import { findWidths, widthOf } from "../../growth/find/widths.ts";
import { importanceOf } from "../../growth/importance/index.ts";
import { openWidths } from "../../growth/plan/symbols.ts";
import { applyShrink } from "../../growth/shrink/shrink-apply.ts";
import { choiceName, chooseShrink, type ShrinkChoice } from "../../growth/shrink/shrink-choice.ts";
import type { ShrinkPlan } from "../../growth/shrink/shrink-plan.ts";
import { opsetOf } from "../../ops/rewrites/upgrade.ts";
import { type Compilation, compileModel, releaseCompilation } from "../compilation/compilation.ts";
import { batchFlops } from "../graphs/flops.ts";
import { feedSizes } from "../graphs/program-inputs.ts";
import type { GrowthRecord, ShrinkRecord } from "../history/record.ts";
import type { LearnerState } from "../learner/learner.ts";
import { commit, movedBy } from "./commit.ts";
import { passesOf } from "./growing-flops.ts";
import { shrinkState } from "./shrink-state.ts";
import { type Growing, type Resized, type ResizedModel, sizeChange, withVariables } from "./size-change.ts";

export interface ShrinkNow {
  readonly choice: ShrinkChoice;
  /** The batch to score units and to measure on: without dropout masks for evaluation, with them for gradients. */
  readonly probe: { readonly evaluation: Feeds; readonly training: Feeds };
  /** Growths of the run so far. */
  readonly growths: readonly GrowthRecord[];
}

/** Removes units, replacing the learner's state, and measures the effect. Refuses before it changes anything. */
export async function shrinkNow(
  growing: Growing,
  id: string,
  { choice, probe, growths }: ShrinkNow,
): Promise<ResizedModel<ShrinkRecord>> {
  const started = performance.now();
  const { compiled: old } = growing;
  const { learner, evaluator, widths } = old;
  const width = widthOf(widths, id);
  const batch = probe.evaluation;
  // The larger of the two networks rounds more often, so its bound is valid for both.
  const before = await evaluator.bounded(learner.variables, batch);
  const looked = needsGradients(choice) ? await gradientsOn(old, probe.training) : undefined;
  const state = learner.state();
  const whole = withVariables(growing.model, state.variables);
  const { plan, left } = chooseShrink(flowMap(whole.graph, opsetOf(whole)), width, choice, {
    parameters: whole.graph.parameters,
    activations: before.activations,
    examples: examplesOf(old, batch),
    ...(looked === undefined ? {} : { gradients: looked.gradients }),
  });
  const resized = await resize(growing, whole, state, plan);
  const after = await resized.compiled.evaluator
    .forward(resized.compiled.learner.variables, batch)
    .catch(async (error: unknown) => {
      await resized.undo();
      throw error;
    });
  const exact = plan.exactness === "exact";
  const { learner: next, evaluator: smaller } = resized.compiled;
  const difference = await movedBy({
    before: before.outputs,
    after: after.outputs,
    bounds: before.bounds,
    exact,
    shaken: async (shake) => (await smaller.forward(shake(next.variables), shake(batch))).outputs,
  });
  const loss = { before: before.loss, after: after.loss };
  await commit(resized, { width: plan.width, verb: "shrunk", exact, loss, difference });
  const passes = passesOf(batch, growing.settings);
  const flops = (await passes.bounded(old)) + passes.forward(resized.compiled) + (looked?.cost.flops ?? 0);
  const record: ShrinkRecord = {
    ...sizeChange(growing, resized, { plan, batch, loss, difference, flops, started }),
    choice: choiceName(choice),
    exactness: plan.exactness,
    left,
    ...(looked === undefined ? {} : { choosing: looked.cost }),
    growths: growths.length,
    plan,
  };
  return { model: resized.model, compiled: resized.compiled, record };
}

/** The gradients on a batch, and their cost: that of a training step's gradients. */
async function gradientsOn(compiled: Compilation, batch: Feeds) {
  const started = performance.now();
  const { gradients } = await compiled.learner.gradients(batch);
  const examples = examplesOf(compiled, batch);
  const sizes = feedSizes(compiled.program, batch);
  const flops = batchFlops({ ...compiled, sizes }, examples);
  return { gradients, cost: { examples, flops, seconds: (performance.now() - started) / 1000 } };
}

/** Loads the smaller state if the compiled graphs leave the width open; compiles them again if they do not. */
async function resize(
  { compiled, settings }: Growing,
  whole: Model,
  state: LearnerState,
  plan: ShrinkPlan,
): Promise<Resized> {
  const model = applyShrink(whole, plan);
  const next = shrinkState(state, plan, model.graph.parameters, settings.optimizer);
  const isOpen = openWidths(compiled.widths).some(({ id }) => id === plan.width);
  if (isOpen && plan.numbers.length === 0 && plan.repairs.length === 0) {
    compiled.learner.load(next);
    const shrunk = { ...compiled, widths: findWidths(model) };
    return { model, compiled: shrunk, keep: () => {}, undo: () => compiled.learner.load(state) };
  }
  const shrunk = await compileModel(model, settings, next);
  return {
    model,
    compiled: shrunk,
    keep: () => releaseCompilation(compiled),
    undo: () => releaseCompilation(shrunk),
  };
}

/** Whether a choice needs gradients. Throws `ARGUMENT` for an unknown score. */
export function needsGradients(choice: ShrinkChoice): boolean {
  if ("merge" in choice) return false;
  const { remove } = choice;
  if (typeof remove === "string") return remove !== "identical";
  return "least" in remove && importanceOf(remove.by).needs.includes("gradients");
}

/** How many examples a batch has. */
function examplesOf({ program }: Compilation, batch: Feeds): number {
  const [input] = program.inputs;
  return input === undefined ? 0 : (batch[input.name]?.dims[input.batchAxis] ?? 0);
}
