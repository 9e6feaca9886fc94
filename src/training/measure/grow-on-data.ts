import type { Dataset } from "../../data/dataset.ts";
import type { Model } from "../../graph/model.ts";
import { findWidths, widthOf } from "../../growth/find/widths.ts";
import { LeftWidths } from "../../growth/grow/every-width.ts";
import { type GrownModel, type Growth, grow, unitsOf, type Widening } from "../../growth/grow/grow-model.ts";
import { checkGrowth } from "../../growth/plan/plan.ts";
import type { Strategy } from "../../growth/plan/strategy.ts";
import { defaultOnData, strategyOf } from "../../growth/strategies/index.ts";
import { checkOptionNames } from "../../tensor/known-options.ts";
import { sizedBy } from "../graphs/task.ts";
import { at, type MeasureOptions, measureNames, measuring } from "./advise.ts";
import { ModelProbe } from "./model-probe.ts";
import { Sample } from "./sample.ts";

export interface GrowOnDataOptions extends MeasureOptions {
  /** Values of new units. Default: "candidates", and "random" for a width that leaves it no choice. */
  readonly strategy?: string | Strategy;
}

/**
 * Like {@link grow}, with strategies that use data. One growth after another: each is measured on the model that the
 * previous ones made. Throws what {@link grow} throws, and what a trainer throws if model and data do not fit.
 */
export async function growOnData(
  model: Model,
  growths: readonly Growth[],
  data: Dataset,
  asked: GrowOnDataOptions = {},
): Promise<GrownModel> {
  checkOptionNames("growOnData", asked, { ...measureNames, strategy: true });
  const options = sizedBy(data, model, asked);
  const sample = new Sample(data, options, at(options));
  const wanted = typeof options.strategy === "string" ? strategyOf(options.strategy) : options.strategy;
  let grown: GrownModel = { model, steps: [], left: [] };
  const take = (next: GrownModel) => {
    grown = {
      model: next.model,
      steps: [...grown.steps, ...next.steps],
      left: [...grown.left, ...next.left],
    };
  };
  const widen = async (widening: Widening) =>
    take(await widenOnData(grown.model, widening, sample, wanted, options));
  for (const growth of growths) {
    if (!("width" in growth)) take(grow(grown.model, [growth], { seed: at(options).seed }));
    else if (growth.width !== "all") await widen(growth);
    else {
      const widths = findWidths(grown.model);
      const left = new LeftWidths(widths.map(({ id }) => id));
      for (const width of widths)
        await widen({ ...growth, width: width.id }).catch((error: unknown) =>
          left.add(width.id, error, width),
        );
      take({ model: grown.model, steps: [], left: left.all });
    }
  }
  return grown;
}

async function widenOnData(
  model: Model,
  widening: Widening,
  sample: Sample,
  wanted: Strategy | undefined,
  options: MeasureOptions,
): Promise<GrownModel> {
  const width = widthOf(findWidths(model), widening.width);
  const { seed } = at(options);
  const strategy = wanted ?? defaultOnData(width);
  const by = unitsOf(width, widening);
  checkGrowth(width, by, strategy);
  const { choose } = strategy;
  if (choose === undefined) return grow(model, [widening], { strategy, seed });
  const choice = await measuring(model, options, (probed) =>
    choose(new ModelProbe(probed, width.id, sample), { by, seed }),
  );
  return grow(model, [widening], { strategy, seed, choice });
}
