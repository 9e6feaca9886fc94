import type { Dataset } from "../../data/dataset.ts";
import type { Model } from "../../graph/model.ts";
import { compareOutputs, type OutputDifference, worstOf } from "../../growth/examine/compare.ts";
import type { Evidence } from "../../growth/examine/diagnose.ts";
import { findWidths } from "../../growth/find/widths.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { compileModel, releaseCompilation } from "../compilation/compilation.ts";
import { Evaluator } from "../compilation/evaluator.ts";
import { variablesOf } from "../compilation/predict.ts";
import { headOf } from "../compilation/probe.ts";
import { sizedBy } from "../graphs/task.ts";
import { withMasks } from "../history/dropout-masks.ts";
import { checkOptions } from "../settings/options.ts";
import { type TaskOptions, taskOf } from "../settings/task-options.ts";
import { gatherEvidence } from "./evidence.ts";

export interface ExamineOptions extends TaskOptions {
  /** Number of examples used, as one batch starting with the first. Default 1024. */
  readonly examples?: number;
  /** Seed of dropout masks. Default 0. */
  readonly seed?: number;
}

/** Examines a model's units on data, for a shrink to choose by. Throws what a trainer throws if they do not fit. */
export async function examineUnits(
  model: Model,
  data: Dataset,
  { examples = 1024, seed = 0, ...task }: ExamineOptions = {},
): Promise<Evidence & { readonly examples: number }> {
  const size = Math.min(examples, data.count);
  const compiled = await compileModel(
    model,
    checkOptions({ ...taskOf(sizedBy(data, model, task)), batchSize: size, seed }, model),
  );
  try {
    const { program, widths } = compiled;
    const batch = headOf(program, data, size);
    const masked = withMasks(program, widths, batch, { seed, step: 0 });
    const { gradients, activations } = await gatherEvidence(compiled, batch, masked);
    // The gradients are in memory that is freed with the learner.
    const kept = new Map(
      [...gradients].map(([name, tensor]) => [
        name,
        { ...tensor, data: tensor.data.slice() } as typeof tensor,
      ]),
    );
    return { parameters: model.graph.parameters, gradients: kept, activations, examples: size };
  } finally {
    await releaseCompilation(compiled);
  }
}

/** How far the output and the loss of two models differ on data; the rounding bound is that of the first. */
export async function compareOnData(
  before: Model,
  after: Model,
  data: Dataset,
  { examples = 1024, ...task }: ExamineOptions = {},
): Promise<
  OutputDifference & {
    readonly examples: number;
    readonly loss: { readonly before: number; readonly after: number };
  }
> {
  const size = Math.min(examples, data.count);
  const [old, now] = [await evaluatorOf(before, task), await evaluatorOf(after, task)];
  try {
    const first = await old.bounded(variablesOf(before, old), headOf(old.program, data, size));
    const second = await now.forward(variablesOf(after, now), headOf(now.program, data, size));
    const { at: _, ...told } = worstOf(
      first.outputs.map((output, at) =>
        compareOutputs(output, second.outputs[at] as Tensor, first.bounds[at]),
      ),
    );
    return {
      ...told,
      examples: size,
      loss: { before: first.loss, after: second.loss },
    };
  } finally {
    await Promise.all([old.release(), now.release()]);
  }
}

function evaluatorOf(model: Model, task: TaskOptions): Promise<Evaluator> {
  return Evaluator.create({ model, widths: findWidths(model), ...taskOf(task) }, {});
}
