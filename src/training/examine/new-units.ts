import type { Dataset } from "../../data/dataset.ts";
import type { Model } from "../../graph/model.ts";
import { diagnoseWidth, gradientNorms, type WidthDiagnosis } from "../../growth/examine/diagnose.ts";
import { findWidths } from "../../growth/find/widths.ts";
import { type Compilation, compileModel, releaseCompilation } from "../compilation/compilation.ts";
import { headOf } from "../compilation/probe.ts";
import { sizedBy } from "../graphs/task.ts";
import { withMasks } from "../history/dropout-masks.ts";
import { checkOptions } from "../settings/options.ts";
import { type TaskOptions, taskOf } from "../settings/task-options.ts";
import { gatherEvidence } from "./evidence.ts";

/** What the new units of one width can learn from. */
export interface NewUnits {
  readonly width: string;
  readonly size: { readonly before: number; readonly after: number };
  /** Euclidean norm of the gradient of each new unit, over its weights on all sides. */
  readonly gradientNorms: readonly number[];
  /** The diagnosis of all units of the width, new and old. */
  readonly diagnosis: WidthDiagnosis;
}

export interface NewUnitsOptions extends TaskOptions {
  /** Number of examples used, starting with the first. Default 256. */
  readonly batchSize?: number;
  /** Seed of dropout masks. Default 0. */
  readonly seed?: number;
}

/**
 * Examines every width that is larger in `after` than in `before` (the width of the same id): the gradient of its new
 * units on a batch of data, and which units are dead, identical or collapsing. Throws what a trainer throws if model and
 * data do not fit.
 */
export async function examineNewUnits(
  before: Model,
  after: Model,
  data: Dataset,
  { batchSize = 256, seed = 0, ...task }: NewUnitsOptions = {},
): Promise<readonly NewUnits[]> {
  const compiled = await compileModel(
    after,
    checkOptions({ ...taskOf(sizedBy(data, after, task)), batchSize, seed }, after),
  );
  try {
    const { widths } = compiled;
    const batch = firstBatch(compiled, data, batchSize, seed);
    const evidence = await gatherEvidence(compiled, batch.evaluation, batch.training);
    const old = new Map(findWidths(before).map((width) => [width.id, width.size]));
    return widths.flatMap((width): NewUnits[] => {
      const from = old.get(width.id);
      if (from === undefined || from >= width.size) return [];
      const units = Array.from({ length: width.size - from }, (_, index) => from + index);
      return [
        {
          width: width.id,
          size: { before: from, after: width.size },
          gradientNorms: gradientNorms(width, evidence.gradients, units),
          diagnosis: diagnoseWidth(width, evidence),
        },
      ];
    });
  } finally {
    await releaseCompilation(compiled);
  }
}

/** The first examples, without dropout masks and with them. */
function firstBatch({ program, widths }: Compilation, data: Dataset, batchSize: number, seed: number) {
  const evaluation = headOf(program, data, batchSize);
  return { evaluation, training: withMasks(program, widths, evaluation, { seed, step: 0 }) };
}
