import type { Feeds } from "../../engine/session.ts";
import { layoutSize } from "../../graph/layout.ts";
import type { Model } from "../../graph/model.ts";
import { widthOf } from "../../growth/find/widths.ts";
import { applyPlan, insertZeros } from "../../growth/grow/apply.ts";
import { type Choice, choiceKey } from "../../growth/plan/choice.ts";
import { fillOne, keepZero } from "../../growth/plan/fills.ts";
import { type Matrix, solveFlops } from "../../growth/plan/matrix.ts";
import { type GrowthPlan, planGrowth } from "../../growth/plan/plan.ts";
import {
  type Curvature,
  outgoingParts,
  type Residual,
  type Response,
  type TrialUnits,
  type WidthProbe,
} from "../../growth/plan/probe.ts";
import type { Strategy } from "../../growth/plan/strategy.ts";
import { openWidths } from "../../growth/plan/symbols.ts";
import type { Width, WidthPart } from "../../growth/plan/width.ts";
import { sizeOf, type Tensor } from "../../tensor/tensor.ts";
import type { TrainerSettings } from "../settings/options.ts";
import type { TaskOptions } from "../settings/task-options.ts";
import { curvatureMeasured, curvatureOf } from "./curvature.ts";
import { compileMeasurement, type Mean, type Measured, runMeasurement } from "./measurement.ts";
import type { MeasurementCache } from "./measurement-cache.ts";
import { pullBy, pullMeasured } from "./pull.ts";
import { bestChange, matrixOf, momentsMeasured, projectionInput, residualMeasured } from "./residual.ts";
import { responseMeasured, responseOf } from "./response.ts";
import type { Sample } from "./sample.ts";
import { sumOfSquares, unitEntries } from "./unit-entries.ts";

/** A model as it is now, its widths, and measurements that have been compiled for graphs like its own. */
export interface Probed {
  readonly model: Model;
  readonly widths: readonly Width[];
  readonly settings: TaskOptions & Pick<TrainerSettings, "session">;
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

  charge(flops: number): void {
    this.#flops += flops;
  }

  get outgoingNorm(): number {
    const { size } = this.width;
    const squares = new Float64Array(size);
    for (const part of outgoingParts(this.width)) {
      unitEntries(this.#parameter(part.parameter), part, size).forEach((entries, unit) => {
        squares[unit] = (squares[unit] as number) + sumOfSquares(entries);
      });
    }
    return squares.reduce((sum, square) => sum + Math.sqrt(square), 0) / size;
  }

  async respond(trial: TrialUnits): Promise<Response> {
    const { means, program, width, units } = await this.#measure(trial, responseMeasured);
    return responseOf(means, program, width, this.width.size, units);
  }

  async curvature(trial: TrialUnits): Promise<Curvature> {
    const { means, width, units } = await this.#measure(trial, curvatureMeasured);
    return curvatureOf(means, width, this.width.size, units);
  }

  pull(): Promise<Matrix> {
    return this.#pullBy(pullMeasured);
  }

  async residual(): Promise<Residual> {
    const { means } = await this.#measure(undefined, momentsMeasured);
    const [part] = outgoingParts(this.width) as [WidthPart];
    const { dims } = this.#parameter(part.parameter);
    const change = bestChange(means, dims);
    this.charge(solveFlops((means.get("fan-in") as Mean).dims[0] ?? 0, dims[part.axis === 0 ? 1 : 0] ?? 1));
    const pull = await this.#pullBy(residualMeasured, (plan) => ({
      [projectionInput]: insertZeros(change, part, plan),
    }));
    return { pull, inputMoment: matrixOf(means.get("input") as Mean) };
  }

  async lossWith(choice: Choice, by: number): Promise<number> {
    const trial: TrialUnits = { count: by, seed: 0, strategy: none, choice };
    const { means } = await this.#measure(trial, lossMeasured);
    return (means.get("loss") as Mean).data[0] as number;
  }

  get entries(): ReadonlyMap<string, number> {
    return new Map(
      this.width.parts.map((part) => {
        const dims = this.#probed.model.graph.parameters.get(part.parameter)?.dims ?? [];
        const perUnit = layoutSize(part.layout, 1) - layoutSize(part.layout, 0);
        return [choiceKey(part), (perUnit * sizeOf(dims)) / (dims[part.axis] ?? 1)];
      }),
    );
  }

  #pullBy(measured: Measured, extra?: (plan: GrowthPlan) => Feeds): Promise<Matrix> {
    return pullBy(
      this.width,
      this.entries,
      async (trial) => (await this.#measure(trial, measured, extra)).means,
    );
  }

  #parameter(name: string): Mean {
    const { dims, data } = this.#probed.model.graph.parameters.get(name) as Tensor<"float32">;
    return { dims, data: Float64Array.from(data) };
  }

  /** Measures the model, with trial units if given, without changing it. */
  async #measure(trial: TrialUnits | undefined, measured: Measured, extra?: (plan: GrowthPlan) => Feeds) {
    const { model, widths, settings, compiled } = this.#probed;
    const { id, size } = this.width;
    const plan = trial === undefined ? undefined : planTrial(this.width, trial, this.#born);
    const grown = plan === undefined ? model : applyPlan(model, plan, strategyOf(trial));
    const units = plan?.to ?? size;
    const isOpen = openWidths(widths).some((width) => width.id === id);
    const measurement = isOpen
      ? await compiled.take(`${measured.kind} of ${id}`, () =>
          compileMeasurement(model, id, measured, settings),
        )
      : await compileMeasurement(grown, id, measured, settings);
    try {
      const { program } = measurement;
      const feeds: Record<string, Tensor> = plan === undefined ? {} : { ...extra?.(plan) };
      for (const name of program.variables) feeds[name] = grown.graph.parameters.get(name) as Tensor;
      const sizes = new Map(widths.map((width) => [width.id, width.size])).set(id, units);
      const { means, flops } = await runMeasurement(measurement, feeds, this.#sample, sizes);
      this.#flops += flops;
      return { means, program, units, width: widthOf(measurement.widths, id) };
    } finally {
      if (!isOpen) await measurement.session.release();
    }
  }
}

const none = { incoming: keepZero, outgoing: keepZero, shift: keepZero, scale: fillOne } as const;

/** The loss itself. */
const lossMeasured: Measured = {
  kind: "loss",
  write: ({ loss }) => new Map([["loss", { value: loss, over: "mean" }]]),
};

function strategyOf(trial: TrialUnits | undefined): Strategy {
  return { name: "trial", summary: "", source: "", preserves: false, ...(trial?.strategy ?? none) };
}

function planTrial(width: Width, trial: TrialUnits, born: number | undefined): GrowthPlan {
  const { count, seed, choice } = trial;
  return planGrowth(width, { by: count, strategy: strategyOf(trial), seed, choice, born });
}
