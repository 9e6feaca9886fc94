import type { Dataset } from "../../data/dataset.ts";
import type { Feeds } from "../../engine/session.ts";
import type { Model } from "../../graph/model.ts";
import { Batcher } from "../graphs/batch.ts";
import { fixedBatch } from "../graphs/program-inputs.ts";
import { type TaskOptions, taskOf } from "../settings/task-options.ts";
import { type Evaluation, Evaluator } from "./evaluator.ts";

/**
 * The values that a model's loss is computed from, per example, [count, values]: logits if the loss takes logits, even for a
 * model that ends in a softmax or sigmoid. The labels or targets of `data` are not used, but the loss requires some.
 * Throws `SHAPE_MISMATCH` if model and data do not fit.
 */
export async function predictScores(
  model: Model,
  data: Dataset,
  task: TaskOptions,
  { batchSize = 256 }: { readonly batchSize?: number } = {},
): Promise<readonly (readonly number[])[]> {
  const evaluator = await Evaluator.create({ model, widths: [], ...taskOf(task) }, {});
  try {
    const variables = variablesOf(model, evaluator);
    const batcher = new Batcher(evaluator.program, data);
    const fixed = fixedBatch(evaluator.program);
    const step = fixed ?? batchSize;
    // For a model that takes batches of only one size, the last example is repeated until the last batch is full.
    const padded = fixed === undefined ? data.count : Math.ceil(data.count / step) * step;
    const order = Uint32Array.from({ length: padded }, (_, index) => Math.min(index, data.count - 1));
    const rows: number[][] = [];
    for (let from = 0; from < padded; from += step) {
      const size = Math.min(step, padded - from);
      const { scored } = await evaluator.forward(variables, batcher.take(order, from, size).feeds);
      const values = Array.from(scored[0]?.data as Float32Array);
      const width = values.length / size;
      for (let at = 0; at < size && rows.length < data.count; at++)
        rows.push(values.slice(at * width, (at + 1) * width));
    }
    return rows;
  } finally {
    await evaluator.release();
  }
}

/**
 * The loss of a model over all of `data`. Unlike a trainer, it requires nothing of the weights: they may be of any type, and
 * none needs to be trainable. Throws `SHAPE_MISMATCH` if model and data do not fit.
 */
export async function evaluateModel(model: Model, data: Dataset, task: TaskOptions): Promise<Evaluation> {
  const evaluator = await Evaluator.create({ model, widths: [], ...taskOf(task) }, {});
  try {
    return await evaluator.evaluate(variablesOf(model, evaluator), data, [], 256);
  } finally {
    await evaluator.release();
  }
}

/** The values of a model's parameters that an evaluator takes as inputs. */
export function variablesOf({ graph }: Model, { program }: Evaluator): Feeds {
  const own = (name: string) => program.source.graph.parameters.get(name) ?? graph.parameters.get(name);
  return Object.fromEntries(program.variables.map((name) => [name, own(name)])) as Feeds;
}
