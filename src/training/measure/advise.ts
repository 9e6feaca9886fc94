import type { Dataset } from "../../data/dataset.ts";
import type { Model } from "../../graph/model.ts";
import { findWidths } from "../../growth/find/widths.ts";
import type { WidthScore } from "../../growth/plan/score.ts";
import { checkOptionNames, type OptionNames } from "../../tensor/known-options.ts";
import { sizedBy } from "../graphs/task.ts";
import { checkOptions } from "../settings/options.ts";
import { type TaskOptions, taskNames, taskOf } from "../settings/task-options.ts";
import { MeasurementCache } from "./measurement-cache.ts";
import type { Probed } from "./model-probe.ts";
import { Sample, type SampleOptions, sampleNames } from "./sample.ts";
import { type ScoreRequest, scoreNames, scoreWidths } from "./score-widths.ts";

/** How to measure a model that is not being trained. */
export interface MeasureOptions extends SampleOptions, TaskOptions {
  /** Seed of the draws and of the sample. Default 0. */
  readonly seed?: number;
}

/** Their names, for callers in JavaScript. */
export const measureNames: OptionNames<MeasureOptions> = { ...sampleNames, ...taskNames, seed: true };

/**
 * Ranks the widths of a model: where would new units lower the loss on `data` most, per FLOP that they cost? Widths that
 * cannot be judged come last, with the reason. Throws what a trainer throws if model and data do not fit.
 */
export async function advise(
  model: Model,
  data: Dataset,
  options: ScoreRequest & MeasureOptions = {},
): Promise<readonly WidthScore[]> {
  checkOptionNames("advise", options, { ...measureNames, ...scoreNames });
  const scores = await measuring(model, sizedBy(data, model, options), (probed) =>
    scoreWidths(probed, new Sample(data, options, at(options)), options, at(options).seed),
  );
  return [...scores].sort((a, b) => b.perFlop - a.perFlop);
}

/** What seeded draws of a model that is not trained depend on. */
export const at = ({ seed = 0 }: MeasureOptions) => ({ seed, step: 0 });

/** Runs measurements of a model and frees what was compiled for them. */
export async function measuring<T>(
  model: Model,
  options: MeasureOptions,
  measure: (probed: Probed) => Promise<T>,
): Promise<T> {
  const compiled = new MeasurementCache();
  try {
    return await measure({
      model,
      widths: findWidths(model),
      settings: checkOptions({ ...taskOf(options), seed: at(options).seed }, model),
      compiled,
    });
  } finally {
    await compiled.release();
  }
}
