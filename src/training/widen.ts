import type { Feeds } from "../engine/session.ts";
import { type Model, withParameters } from "../graph/model.ts";
import { applyPlan } from "../growth/apply.ts";
import { compareOutputs } from "../growth/compare.ts";
import { deadUnits, gradientNorms, identicalUnits, incomingWeights } from "../growth/diagnose.ts";
import { type GrowthPlan, planGrowth } from "../growth/plan.ts";
import type { Strategy } from "../growth/strategy.ts";
import { openWidths } from "../growth/symbols.ts";
import type { Width } from "../growth/width.ts";
import { findWidths, widthOf } from "../growth/widths.ts";
import { makeTensor, sizeOf, type Tensor } from "../tensor/tensor.ts";
import { type Compilation, compileModel, growState, releaseCompilation } from "./compilation.ts";
import { flopsPerExample } from "./flops.ts";
import type { TrainerSettings } from "./options.ts";
import type { Program } from "./program.ts";
import { feedSizes } from "./program-inputs.ts";
import type { GrowthRecord } from "./record.ts";

/** A model while it trains, and what grows with it. */
export interface Growing {
  readonly model: Model;
  readonly compiled: Compilation;
  readonly settings: TrainerSettings;
  /** Updates done. */
  readonly step: number;
}

export interface WidenRequest {
  readonly width: string;
  readonly by: number;
  readonly strategy: Strategy;
  /** Batches to measure on: without dropout masks for evaluation, with them for gradients. */
  readonly probe: { readonly evaluation: Feeds; readonly training: (widths: readonly Width[]) => Feeds };
}

/** A growth of the compiled state, and how to take it back. */
interface Grown {
  readonly compiled: Compilation;
  readonly undo: () => void | Promise<void>;
}

/** Widens a width in place of the learner's state and measures what that did. Refuses before it changes anything. */
export async function widenNow(
  growing: Growing,
  request: WidenRequest,
): Promise<{ readonly model: Model; readonly compiled: Compilation; readonly record: GrowthRecord }> {
  const started = performance.now();
  const { compiled: old, settings } = growing;
  const plan = planGrowth(widthOf(old.widths, request.width), {
    by: request.by,
    strategy: request.strategy,
    seed: settings.seed,
  });
  const before = await old.evaluator.forward(old.learner.variables, request.probe.evaluation);
  const from = new Map(
    Object.entries(old.learner.variables).map(([name, { dtype, dims, data }]) => [
      name,
      makeTensor(dtype, dims, data.slice()),
    ]),
  );
  const current = withParameters(growing.model, new Map([...growing.model.graph.parameters, ...from]));
  const model = applyPlan(current, plan, request.strategy);
  const isOpen = openWidths(old.widths).some((width) => width.id === plan.width);
  const { compiled, undo } = await (isOpen
    ? growInPlace(growing, plan, from, model)
    : growAnew(growing, plan, model));
  const { learner, evaluator, widths } = compiled;

  const measure = async () => ({
    after: await evaluator.bounded(learner.variables, request.probe.evaluation),
    gradients: (await learner.gradients(request.probe.training(widths))).gradients,
  });
  const { after, gradients } = await measure().catch(async (error: unknown) => {
    // The engine may lack memory for the larger network: the smaller one must go on.
    await undo();
    throw error;
  });
  if (compiled.learner !== old.learner) await releaseCompilation(old);
  const grown = widthOf(widths, request.width);
  const evidence = { parameters: model.graph.parameters, gradients, activations: after.activations };
  const difference = compareOutputs(before.output, after.output, after.bound);
  const newUnits = newUnitsOf(plan);
  const norms = gradientNorms(grown, evidence.gradients, newUnits);
  const dead = new Set(deadUnits(grown, evidence, newUnits).map(({ unit }) => unit));
  const sizes = feedSizes(old.program, request.probe.evaluation);
  const isNew = (unit: number) => unit >= plan.from;
  const record: GrowthRecord = {
    width: plan.width,
    step: growing.step,
    strategy: plan.strategy,
    size: { before: plan.from, after: plan.to },
    loss: { before: before.loss, after: after.loss },
    output: {
      maxDifference: difference.maximum,
      roundingBound: difference.bound,
      preserved: difference.withinBound,
      identical: difference.identical,
    },
    newUnits: newUnits.map((unit, index) => ({
      unit,
      gradientNorm: norms[index] ?? 0,
      dead: dead.has(unit),
    })),
    identicalUnits: identicalUnits(incomingWeights(grown, evidence.parameters)).filter((group) =>
      group.some(isNew),
    ),
    parameters: {
      before: countParameters(old.program, growing.model),
      after: countParameters(compiled.program, model),
    },
    flopsPerExample: {
      before: flopsPerExample({ ...old, sizes }),
      after: flopsPerExample({ ...compiled, sizes }),
    },
    pauseMs: performance.now() - started,
    plan,
  };
  return { model, compiled, record };
}

/** The compiled graphs leave the width open: only the state grows. */
async function growInPlace(
  { compiled, step }: Growing,
  plan: GrowthPlan,
  from: ReadonlyMap<string, Tensor>,
  model: Model,
): Promise<Grown> {
  const undo = compiled.learner.grow({ plan, step, from, to: model.graph.parameters });
  return { compiled: { ...compiled, widths: findWidths(model) }, undo };
}

/** The growth changes nodes of the graph, which is compiled anew; the old one stays until the new one has run. */
async function growAnew(
  { compiled, settings, step }: Growing,
  plan: GrowthPlan,
  model: Model,
): Promise<Grown> {
  const state = growState(compiled.learner.state(), plan, model.graph.parameters, step);
  const next = await compileModel(model, settings, state);
  return { compiled: next, undo: () => releaseCompilation(next) };
}

function newUnitsOf(plan: GrowthPlan): readonly number[] {
  return Array.from({ length: plan.to - plan.from }, (_, index) => plan.from + index);
}

/** Entries of the trained parameters. */
export function countParameters(program: Program, model: Model): number {
  return program.trainable.reduce(
    (sum, name) => sum + sizeOf(model.graph.parameters.get(name)?.dims ?? []),
    0,
  );
}
