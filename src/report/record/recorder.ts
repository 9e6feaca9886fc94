import type { Dataset } from "../../data/dataset.ts";
import { subset } from "../../data/dataset.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { GrowthRecord } from "../../training/history/record.ts";
import { type StoppingRule, StoppingWatch } from "../../training/policy/early-stopping.ts";
import type { GrowthPolicy } from "../../training/policy/policy.ts";
import type { ControllerDecision } from "../../training/policy/state.ts";
import { GrowthController } from "../../training/trainer/controller.ts";
import type { Trainer, TrainerState } from "../../training/trainer/trainer.ts";
import type { RunArm, RunDiagnosis, RunPoint } from "./run-record.ts";

export interface RecorderOptions {
  /** Of the arm in the report. */
  readonly name: string;
  /** Updates at which the run is complete, counted from the trainer's first. */
  readonly steps: number;
  /** Evaluated every `evaluateEvery` updates and at the end. */
  readonly test?: Dataset;
  /** Default: once an epoch. */
  readonly evaluateEvery?: number;
  /** Updates between two points of the curves. Default: a two-hundredth of the run. */
  readonly pointEvery?: number;
  /** Updates between two diagnoses beside those at growths and at the end. Default: an eighth of the run. */
  readonly diagnoseEvery?: number;
  /** When, where and by how much it grows; trials may be judged by the data of early stopping. */
  readonly growth?: GrowthPolicy;
  /** Stops on validation data and goes back to the best weights. */
  readonly earlyStopping?: StoppingRule & { readonly validation: Dataset };
  /** Default: never. */
  readonly checkpointEvery?: number;
  readonly events?: RecorderEvents;
  /** What an earlier part of this run recorded, up to the trainer's step. */
  readonly past?: RunPast;
}

/** Called in the order of what happens; each may be asynchronous. Their time does not count as training. */
export interface RecorderEvents {
  readonly step?: (info: { readonly step: number; readonly loss: number; readonly examples: number }) => void;
  readonly point?: (point: RunPoint) => void | Promise<void>;
  readonly decision?: (decision: ControllerDecision) => void | Promise<void>;
  readonly growth?: (record: GrowthRecord) => void | Promise<void>;
  readonly diagnosis?: (diagnosis: RunDiagnosis) => void | Promise<void>;
  /** The validation score is the best so far. */
  readonly best?: () => void | Promise<void>;
  /** A good moment to save: every point so far has been handed out, and every growth due has been done. */
  readonly checkpoint?: () => void | Promise<void>;
}

export interface RunPast {
  readonly points: readonly RunPoint[];
  readonly diagnoses: readonly RunDiagnosis[];
  /** Validation scores of stretches that were undone, in order of time with those of `points`. Default: those alone. */
  readonly scores?: readonly Pick<RunPoint, "step" | "validation">[];
  /** The state with the best validation score, where there is early stopping. */
  readonly best?: TrainerState | undefined;
}

/** Why {@link Recorder.advance} came back. */
export type RunStatus = "paused" | "complete" | "early stopping" | "budget" | "signal";

/**
 * Trains, grows at the events and writes down what happened, as an arm of a run record. Seconds are those of updates
 * and growths: evaluating, diagnosing and saving are left out.
 */
export class Recorder {
  readonly #trainer: Trainer;
  readonly #data: Dataset;
  readonly #options: RecorderOptions;
  readonly #every: { readonly evaluate: number; readonly point: number; readonly diagnose: number };
  readonly #controller: GrowthController | undefined;
  #points: RunPoint[];
  #diagnoses: RunDiagnosis[];
  #growths: GrowthRecord[];
  readonly #watch: StoppingWatch | undefined;
  #best: TrainerState | undefined;
  #seconds: number;
  readonly #secondsBefore: number;
  #examples = 0;
  /** Losses since the last point, weighted by examples. */
  #pending = { loss: 0, examples: 0 };
  #began: boolean;

  /** Throws `UNKNOWN_WIDTH`, `NOT_GROWABLE` or `ARGUMENT` where the network cannot grow as it is to. */
  constructor(trainer: Trainer, data: Dataset, options: RecorderOptions) {
    const { steps, past, earlyStopping } = options;
    this.#trainer = trainer;
    this.#data = data;
    this.#options = options;
    const { evaluateEvery, pointEvery, diagnoseEvery } = options;
    this.#every = {
      evaluate: period("evaluateEvery", evaluateEvery, Math.ceil(data.count / trainer.settings.batchSize)),
      point: period("pointEvery", pointEvery, Math.ceil(steps / 200)),
      diagnose: period("diagnoseEvery", diagnoseEvery, Math.ceil(steps / 8)),
    };
    this.#points = [...(past?.points ?? [])];
    this.#diagnoses = [...(past?.diagnoses ?? [])];
    this.#growths = [...trainer.growths];
    this.#best = past?.best;
    this.#seconds = this.#points.at(-1)?.seconds ?? 0;
    this.#secondsBefore = this.#seconds;
    this.#began = this.#points.length > 0;
    this.#watch = earlyStopping === undefined ? undefined : watchOf(trainer, earlyStopping);
    for (const { step, validation } of past?.scores ?? this.#points) {
      if (validation !== undefined) this.#watch?.see(step, this.#scoreOf(validation));
    }
    const { growth: policy } = options;
    const judged = { data, steps, validation: earlyStopping?.validation };
    this.#controller =
      policy === undefined ? undefined : new GrowthController(trainer, { policy, ...judged });
  }

  get points(): readonly RunPoint[] {
    return this.#points;
  }

  /** Seconds of training so far. */
  get seconds(): number {
    return this.#seconds;
  }

  /** Of the updates and growths that this recorder made. */
  get examplesPerSecond(): number {
    const seconds = this.#seconds - this.#secondsBefore;
    return seconds > 0 ? this.#examples / seconds : 0;
  }

  /** The best validation score and its step. */
  get best(): { readonly step: number; readonly score: number } | undefined {
    return this.#watch?.best;
  }

  /**
   * Trains until `until` updates are done (default: all), validation stops improving, or `signal` asks to stop; it
   * then stops after the update under way. Throws `DIVERGED`.
   */
  async advance(until: number = this.#options.steps, signal?: AbortSignal): Promise<RunStatus> {
    const trainer = this.#trainer;
    const { steps } = this.#options;
    if (!this.#began) await this.#begin();
    while (trainer.step < Math.min(until, steps)) {
      if (this.#watch?.exhausted) return "early stopping";
      if (this.#controller?.over) return "budget";
      if (signal?.aborted) return "signal";
      const started = performance.now();
      const { loss, size } = await trainer.trainStep(this.#data);
      const seconds = (performance.now() - started) / 1000;
      this.#seconds += seconds;
      this.#controller?.see(loss, seconds);
      this.#examples += size;
      this.#pending = {
        loss: this.#pending.loss + loss * size,
        examples: this.#pending.examples + size,
      };
      this.#options.events?.step?.({ step: trainer.step, loss, examples: size });
      await this.#settle();
    }
    if (trainer.step < steps) return "paused";
    return this.#watch?.exhausted ? "early stopping" : "complete";
  }

  /** Writes the point of the updates since the last one, so that nothing is lost where a run stops early. */
  async flush(): Promise<void> {
    if (this.#pending.examples > 0) await this.#addPoint(false);
  }

  /** Goes back to the best weights where there is early stopping, evaluates, and hands out the record. */
  async finish(): Promise<RunArm> {
    await this.flush();
    const trainer = this.#trainer;
    if (this.#best !== undefined) await trainer.restoreWeights(this.#best);
    // Where the run was stopped, what was last diagnosed may be long ago, and narrower.
    const stale = this.#best === undefined && this.#diagnoses.at(-1)?.step !== trainer.step;
    const { examples: _, ...final } = await trainer.evaluate(this.#options.test ?? this.#data);
    return {
      name: this.#options.name,
      points: this.#points,
      growths: this.#growths,
      decisions: trainer.progress.controller?.decisions ?? [],
      diagnoses: stale ? [...this.#diagnoses, await this.#diagnosis()] : this.#diagnoses,
      parameters: trainer.parameterCount,
      final,
    };
  }

  async #begin(): Promise<void> {
    this.#began = true;
    // A run that goes on further than it was first to go may owe the growth of its last step.
    if (this.#trainer.step > 0)
      return this.#grow(await this.#decide(this.#trainer.step >= this.#options.steps));
    await this.#addPoint(true);
    await this.#grow(await this.#decide(false));
    if (this.#options.checkpointEvery !== undefined) await this.#options.events?.checkpoint?.();
  }

  /** Everything that is due between two updates. Growth comes after measuring and before saving. */
  async #settle(): Promise<void> {
    const { step } = this.#trainer;
    const { steps, checkpointEvery } = this.#options;
    const last = step === steps;
    const decision = this.#watch?.exhausted ? undefined : await this.#decide(last);
    const growing = decision?.action === "grow" || decision?.action === "undo";
    const saving = !last && checkpointEvery !== undefined && step % checkpointEvery === 0;
    const evaluating = last || step % this.#every.evaluate === 0;
    // Weights that the update ruined have no scores to write down.
    if (evaluating) await this.#trainer.settle();
    if (evaluating || growing || saving || step % this.#every.point === 0) await this.#addPoint(evaluating);
    if (growing || last || step % this.#every.diagnose === 0) await this.#diagnose();
    if (!this.#watch?.exhausted) await this.#grow(decision);
    if (saving) await this.#options.events?.checkpoint?.();
  }

  /** What the controller wants before the next update; the time that it takes to score counts. */
  async #decide(last: boolean): Promise<ControllerDecision | undefined> {
    const started = performance.now();
    const decision = await this.#controller?.next(last);
    this.#seconds += (performance.now() - started) / 1000;
    return decision;
  }

  /** Does what was decided, and what follows from it, until training is to go on. */
  async #grow(first: ControllerDecision | undefined): Promise<void> {
    const { events, steps } = this.#options;
    let decision = first;
    while (decision !== undefined) {
      const started = performance.now();
      const records = (await this.#controller?.carryOut()) ?? [];
      this.#seconds += (performance.now() - started) / 1000;
      if (decision.backTo !== undefined) this.#forget(decision.backTo);
      this.#growths.push(...records);
      await events?.decision?.(decision);
      for (const record of records) await events?.growth?.(record);
      decision = await this.#decide(this.#trainer.step >= steps);
    }
  }

  /** What came after `step` has been undone. */
  #forget(step: number): void {
    this.#points = this.#points.filter((point) => point.step <= step);
    this.#diagnoses = this.#diagnoses.filter((diagnosis) => diagnosis.step <= step);
    this.#growths = [...this.#trainer.growths];
    this.#pending = { loss: 0, examples: 0 };
  }

  async #addPoint(evaluating: boolean): Promise<void> {
    const { test, earlyStopping, events } = this.#options;
    const trainer = this.#trainer;
    const { loss, examples } = this.#pending;
    this.#pending = { loss: 0, examples: 0 };
    const validation =
      evaluating && earlyStopping !== undefined ? await this.#measure(earlyStopping.validation) : undefined;
    const point: RunPoint = {
      step: trainer.step,
      flops: trainer.progress.flops,
      seconds: this.#seconds,
      trainLoss: examples > 0 ? loss / examples : await this.#lossBefore(),
      ...(evaluating && test !== undefined ? { test: await this.#measure(test) } : {}),
      ...(validation === undefined ? {} : { validation }),
      widths: this.#widths(),
    };
    this.#points.push(point);
    if (validation !== undefined && this.#watch?.see(point.step, this.#scoreOf(validation))) {
      this.#best = trainer.state();
      await events?.best?.();
    }
    await events?.point?.(point);
  }

  /** Before the first update no batch has a loss: that of the first examples stands for it. */
  async #lossBefore(): Promise<number> {
    const data = this.#data;
    const head = Array.from({ length: Math.min(data.count, 1000) }, (_, index) => index);
    return (await this.#trainer.evaluate(subset(data, head))).loss;
  }

  async #measure(data: Dataset): Promise<NonNullable<RunPoint["test"]>> {
    const { examples: _, ...scores } = await this.#trainer.evaluate(data);
    return scores as NonNullable<RunPoint["test"]>;
  }

  async #diagnose(): Promise<void> {
    const diagnosis = await this.#diagnosis();
    this.#diagnoses.push(diagnosis);
    await this.#options.events?.diagnosis?.(diagnosis);
  }

  async #diagnosis(): Promise<RunDiagnosis> {
    const widths = await this.#trainer.diagnose(this.#options.test ?? this.#data);
    return { step: this.#trainer.step, widths };
  }

  #scoreOf(scores: NonNullable<RunPoint["test"]>): number {
    return scores[this.#options.earlyStopping?.monitor ?? "loss"] as number;
  }

  #widths(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      this.#trainer.widths.filter((width) => width.growable).map((width) => [width.id, width.size]),
    );
  }
}

function watchOf(trainer: Trainer, rule: StoppingRule): StoppingWatch {
  const { monitor = "loss" } = rule;
  const metric = trainer.metrics.find(({ name }) => name === monitor);
  if (metric === undefined && monitor !== "loss") {
    throw new EspalierError("ARGUMENT", {
      thing: "early stopping",
      rule: `must watch one of ${["loss", ...trainer.metrics.map(({ name }) => name)].join(", ")}`,
      received: monitor,
      remedy: "Leave monitor out to watch the loss.",
    });
  }
  return new StoppingWatch(rule, metric?.better ?? "lower");
}

function period(name: string, value: number | undefined, otherwise: number): number {
  const chosen = value ?? Math.max(1, otherwise);
  if (Number.isSafeInteger(chosen) && chosen > 0) return chosen;
  throw new EspalierError("ARGUMENT", {
    thing: name,
    rule: "must be a positive whole number of steps",
    received: value,
    remedy: "Leave it out for the default.",
  });
}
