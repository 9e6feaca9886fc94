import type { Dim } from "../../graph/dim.ts";
import type { Model } from "../../graph/model.ts";
import { findWidths } from "../../growth/find/widths.ts";
import type { Width } from "../../growth/plan/width.ts";
import { type Program, writeProgram } from "../graphs/program.ts";
import { freshState } from "../learner/fresh-state.ts";
import type { Learner, LearnerState } from "../learner/learner.ts";
import { createLearner } from "../learner/learners.ts";
import { MeasurementCache } from "../measure/measurement-cache.ts";
import type { TrainerSettings } from "../settings/options.ts";
import { taskOf } from "../settings/task-options.ts";
import { Evaluator } from "./evaluator.ts";

/** A model's graphs, compiled, and the learner that holds its state. */
export interface Compilation {
  readonly widths: readonly Width[];
  readonly program: Program;
  readonly evaluator: Evaluator;
  readonly learner: Learner;
  /** FLOPs of a training step, forward and backward, in "batch" and the open widths. */
  readonly flops: Dim;
  /** The compiled measurements of its widths so far. */
  readonly measurements: MeasurementCache;
}

/** Compiles a model for training and evaluation; without a state it starts afresh. */
export async function compileModel(
  model: Model,
  settings: TrainerSettings,
  state?: LearnerState,
): Promise<Compilation> {
  const { session, frozen } = settings;
  const widths = findWidths(model);
  const what = { model, widths, ...taskOf(settings), frozen };
  const program = writeProgram({ ...what, training: true });
  const evaluator = await Evaluator.create(what, session);
  const learner = await createLearner(program, settings);
  learner.load(state ?? freshState(program, model, settings));
  return {
    widths,
    program,
    evaluator,
    learner,
    flops: learner.flops,
    measurements: new MeasurementCache(),
  };
}

/** Loads another state of the compiled model, which may differ in size; compiles again if its graph differs. */
export async function recompile(
  compiled: Compilation,
  compiledModel: Model,
  { model, learner }: { readonly model: Model; readonly learner: LearnerState },
  settings: TrainerSettings,
): Promise<Compilation> {
  if (model.graph.nodes === compiledModel.graph.nodes) {
    compiled.learner.load(learner);
    return { ...compiled, widths: findWidths(model) };
  }
  const next = await compileModel(model, settings, learner);
  await releaseCompilation(compiled);
  return next;
}

export async function releaseCompilation({ learner, evaluator, measurements }: Compilation): Promise<void> {
  await measurements.release();
  await learner.release();
  await evaluator.release();
}
