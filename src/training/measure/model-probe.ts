import type { Model } from "../../graph/model.ts";
import { applyPlan } from "../../growth/apply.ts";
import { planGrowth } from "../../growth/plan.ts";
import type { Response, TrialUnits, WidthProbe } from "../../growth/probe.ts";
import type { Strategy } from "../../growth/strategy.ts";
import { openWidths } from "../../growth/symbols.ts";
import type { Width } from "../../growth/width.ts";
import { widthOf } from "../../growth/widths.ts";
import type { TrainerSettings } from "../options.ts";
import { compileMeasurement, type Measured, runMeasurement } from "./measurement.ts";
import type { MeasurementCache } from "./measurement-cache.ts";
import { responseMeasured, responseOf } from "./response.ts";
import type { Sample } from "./sample.ts";

/** A model as it is now, its widths, and measurements that have been compiled for graphs like its own. */
export interface Probed {
  readonly model: Model;
  readonly widths: readonly Width[];
  readonly settings: Pick<TrainerSettings, "loss" | "output" | "session">;
  readonly compiled: MeasurementCache;
}

/** Measures one width of a model on a sample of data. */
export class ModelProbe implements WidthProbe {
  readonly width: Width;
  readonly #probed: Probed;
  readonly #sample: Sample;
  readonly #born: number | undefined;
  #flops = 0;

  /** `born` as in `GrowthPlan`. Throws `UNKNOWN_WIDTH`. */
  constructor(probed: Probed, width: string, sample: Sample, born?: number) {
    this.#probed = probed;
    this.width = widthOf(probed.widths, width);
    this.#sample = sample;
    this.#born = born;
  }

  get examples(): number {
    return this.#sample.count;
  }

  get flops(): number {
    return this.#flops;
  }

  async respond(trial: TrialUnits): Promise<Response> {
    const { size } = this.width;
    const { means, program, width } = await this.#measure(trial, responseMeasured);
    return responseOf(means, program, width, size, size + trial.count);
  }

  /** Measures the model with trial units, without changing it. */
  async #measure(trial: TrialUnits, measured: Measured) {
    const { model, widths, settings, compiled } = this.#probed;
    const { id, size } = this.width;
    const grown = growTrial(model, this.width, trial, this.#born);
    const variables = Object.fromEntries(grown.graph.parameters);
    const isOpen = openWidths(widths).some((width) => width.id === id);
    const measurement = isOpen
      ? await compiled.take(`${measured.kind} of ${id}`, () =>
          compileMeasurement(model, id, measured, settings),
        )
      : await compileMeasurement(grown, id, measured, settings);
    try {
      const { program } = measurement;
      const feeds = Object.fromEntries(
        program.variables.map((name) => [name, variables[name] as (typeof variables)[string]]),
      );
      const sizes = new Map(widths.map((width) => [width.id, width.size])).set(id, size + trial.count);
      const { means, flops } = await runMeasurement(measurement, feeds, this.#sample, sizes);
      this.#flops += flops;
      return { means, program, width: widthOf(measurement.widths, id) };
    } finally {
      if (!isOpen) await measurement.session.release();
    }
  }
}

function growTrial(
  model: Model,
  width: Width,
  { count, strategy, seed, choice }: TrialUnits,
  born: number | undefined,
): Model {
  const fills: Strategy = { name: "trial", summary: "", source: "", preserves: false, ...strategy };
  return applyPlan(model, planGrowth(width, { by: count, strategy: fills, seed, choice, born }), fills);
}
