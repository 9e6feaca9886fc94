import type { Dataset } from "../../data/dataset.ts";
import type { Feeds } from "../../engine/session.ts";
import { deadUnits, gradientNorms, identicalUnits } from "../../growth/examine/diagnose.ts";
import { findWidths, widthOf } from "../../growth/find/widths.ts";
import { applyPlan, checkSizes } from "../../growth/grow/apply.ts";
import type { Choice } from "../../growth/plan/choice.ts";
import { checkGrowth, type GrowthPlan, planGrowth } from "../../growth/plan/plan.ts";
import type { Strategy } from "../../growth/plan/strategy.ts";
import { openWidths } from "../../growth/plan/symbols.ts";
import type { Width } from "../../growth/plan/width.ts";
import { defaultOnData, strategyOf } from "../../growth/strategies/index.ts";
import { random } from "../../growth/strategies/random.ts";
import { checkOptionNames } from "../../tensor/known-options.ts";
import { compileModel, releaseCompilation } from "../compilation/compilation.ts";
import type { GrowthRecord } from "../history/record.ts";
import { growState } from "../learner/learner.ts";
import { ModelProbe } from "../measure/model-probe.ts";
import { Sample, type SampleOptions, sampleNames } from "../measure/sample.ts";
import { commit, movedBy } from "./commit.ts";
import { growingFlops } from "./growing-flops.ts";
import { type Growing, type Resized, type ResizedModel, sizeChange, withVariables } from "./size-change.ts";

/** How to widen a layer. */
export interface WidenOptions extends SampleOptions {
  /** Units to add. */
  readonly by: number;
  /** Values of the new units. Default: "candidates" with `data` (if the width leaves the choice), else "random". */
  readonly strategy?: string | Strategy;
  /** For strategies that use data. */
  readonly data?: Dataset;
}

export interface WidenRequest {
  readonly width: string;
  readonly by: number;
  /** Default: candidates if there is data and the width leaves the choice, else random. */
  readonly strategy?: Strategy | undefined;
  /** Data for a strategy that uses some. */
  readonly sample?: Sample | undefined;
  /** Number of the first new unit, counting every unit that the width has ever had; default the number of units. */
  readonly born?: number | undefined;
  /** Batches to measure on: without dropout masks for evaluation, with them for gradients. */
  readonly probe: { readonly evaluation: Feeds; readonly training: (widths: readonly Width[]) => Feeds };
}

/** The request that a caller's options make. Throws `ARGUMENT` for an unknown strategy. */
export function widenRequest(
  width: string,
  options: WidenOptions,
  now: { readonly seed: number; readonly step: number },
): Omit<WidenRequest, "probe"> {
  checkOptionNames("widen", options, { ...sampleNames, by: true, strategy: true, data: true });
  const { by, strategy, data, ...sampling } = options;
  return {
    width,
    by,
    strategy: typeof strategy === "string" ? strategyOf(strategy) : strategy,
    sample: data === undefined ? undefined : new Sample(data, sampling, now),
  };
}

/** Widens a width, replacing the learner's state, and measures the effect. Refuses before it changes anything. */
export async function widenNow(growing: Growing, request: WidenRequest): Promise<ResizedModel<GrowthRecord>> {
  const started = performance.now();
  const { compiled: old, settings } = growing;
  const width = widthOf(old.widths, request.width);
  const strategy = request.strategy ?? defaultStrategy(width, request.sample);
  const { choice, choosing } = await chooseValues(growing, strategy, request);
  const plan = planGrowth(width, {
    by: request.by,
    strategy,
    seed: settings.seed,
    choice,
    born: request.born,
  });
  const before = await old.evaluator.forward(old.learner.variables, request.probe.evaluation);
  const isOpen = openWidths(old.widths).some((width) => width.id === plan.width);
  const { model, compiled, keep, undo } = await (isOpen ? growInPlace : growAnew)(growing, plan, strategy);
  const { learner, evaluator, widths } = compiled;

  const measure = async () => ({
    after: await evaluator.bounded(learner.variables, request.probe.evaluation),
    gradients: (await learner.gradients(request.probe.training(widths))).gradients,
  });
  const { after, gradients } = await measure().catch(async (error: unknown) => {
    // The engine may lack memory for the larger network: the smaller one must keep working.
    await undo();
    throw error;
  });
  const exact = strategy.preserves;
  const difference = await movedBy({
    before: before.outputs,
    after: after.outputs,
    bounds: after.bounds,
    exact,
    shaken: async (shake) =>
      (await evaluator.forward(shake(learner.variables), shake(request.probe.evaluation))).outputs,
  });
  const loss = { before: before.loss, after: after.loss };
  await commit({ keep, undo }, { width: plan.width, verb: "widened", exact, loss, difference });
  const grown = widthOf(widths, request.width);
  const parameters = new Map(Object.entries(learner.variables));
  const evidence = { parameters, gradients, activations: after.activations };
  const newUnits = newUnitsOf(plan);
  const norms = gradientNorms(grown, evidence.gradients, newUnits);
  // At birth a unit may be silent and yet learn (zero incoming weights): it is dead only if it has no gradient.
  const dead = new Set(
    deadUnits(grown, evidence, newUnits).flatMap(({ unit, reason }) =>
      reason === "zero gradient" ? [unit] : [],
    ),
  );
  const isNew = (unit: number) => unit >= plan.from;
  const batch = request.probe.evaluation;
  const flops = (await growingFlops(old, compiled, batch, settings)) + (choosing?.flops ?? 0);
  const measured = { plan, batch, loss, difference, flops, started };
  const record: GrowthRecord = {
    ...sizeChange(growing, { model, compiled }, measured),
    strategy: plan.strategy,
    newUnits: newUnits.map((unit, index) => ({
      unit,
      gradientNorm: norms[index] ?? 0,
      dead: dead.has(unit),
    })),
    identicalUnits: identicalUnits(grown, parameters).filter((group) => group.some(isNew)),
    ...(choosing === undefined ? {} : { choosing }),
    plan,
  };
  return { model, compiled, record };
}

function defaultStrategy(width: Width, sample: Sample | undefined): Strategy {
  return sample === undefined ? random : defaultOnData(width);
}

/** Lets a strategy that uses data choose; undefined if it needs none, or if planning will refuse anyway. */
async function chooseValues(
  { model, compiled, settings }: Growing,
  strategy: Strategy,
  { width, by, sample, born }: WidenRequest,
): Promise<{ readonly choice?: Choice; readonly choosing?: GrowthRecord["choosing"] }> {
  const { choose } = strategy;
  if (choose === undefined || sample === undefined) return {};
  const started = performance.now();
  const current = withVariables(model, Object.entries(compiled.learner.variables));
  const probed = { model: current, widths: compiled.widths, settings, compiled: compiled.measurements };
  const probe = new ModelProbe(probed, width, sample, born);
  checkGrowth(probe.width, by, strategy);
  const choice = await choose(probe, { by, seed: settings.seed });
  const seconds = (performance.now() - started) / 1000;
  return { choice, choosing: { examples: sample.count, flops: probe.flops, seconds } };
}

/** For compiled graphs that leave the width open: only the state grows, in place. */
async function growInPlace(
  { model, compiled, step }: Growing,
  plan: GrowthPlan,
  strategy: Strategy,
): Promise<Resized> {
  checkSizes(model.graph, plan);
  let grown = model;
  const tentative = compiled.learner.grow({
    plan,
    step,
    apply: (variables, insert) => {
      grown = applyPlan(withVariables(model, Object.entries(variables)), plan, strategy, insert);
      return grown.graph.parameters;
    },
  });
  return { model: grown, compiled: { ...compiled, widths: findWidths(grown) }, ...tentative };
}

/** For a growth that changes nodes of the graph, which is compiled again; the old one stays until the new one has run. */
async function growAnew(
  { model, compiled, settings, step }: Growing,
  plan: GrowthPlan,
  strategy: Strategy,
): Promise<Resized> {
  const state = compiled.learner.state();
  const grown = applyPlan(withVariables(model, state.variables), plan, strategy);
  const next = await compileModel(grown, settings, growState(state, { plan, step }, grown.graph.parameters));
  return {
    model: grown,
    compiled: next,
    keep: () => releaseCompilation(compiled),
    undo: () => releaseCompilation(next),
  };
}

function newUnitsOf(plan: GrowthPlan): readonly number[] {
  return Array.from({ length: plan.to - plan.from }, (_, index) => plan.from + index);
}
