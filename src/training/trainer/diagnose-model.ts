import type { Dataset } from "../../data/dataset.ts";
import type { Model } from "../../graph/model.ts";
import type { DiagnosisOptions, WidthDiagnosis } from "../../growth/examine/diagnose.ts";
import { checkOptionNames } from "../../tensor/known-options.ts";
import { diagnoseNames } from "../examine/evidence.ts";
import { sizedBy } from "../graphs/task.ts";
import { type TaskOptions, taskNames, taskOf } from "../settings/task-options.ts";
import { Trainer } from "./trainer.ts";

/**
 * Dead, identical and collapsing units of every width of a model that can grow, on (the first `batchSize`, default 256, of)
 * a batch of data. {@link Trainer.diagnose} does the same in the middle of a run.
 */
export async function diagnose(
  model: Model,
  batch: Dataset,
  options: DiagnosisOptions & TaskOptions & { readonly batchSize?: number } = {},
): Promise<readonly WidthDiagnosis[]> {
  checkOptionNames("diagnose", options, { ...diagnoseNames, ...taskNames });
  const { threshold, batchSize } = options;
  if (model.graph.parameters.size === 0) return [];
  // Nothing is trained here, so that constants are as good as parameters.
  const task = taskOf(sizedBy(batch, model, options));
  const trainer = await Trainer.create(model, { ...task, trainConstants: true });
  try {
    return await trainer.diagnose(batch, {
      ...(threshold === undefined ? {} : { threshold }),
      ...(batchSize === undefined ? {} : { batchSize }),
    });
  } finally {
    await trainer.dispose();
  }
}
