import type { Dataset } from "../../data/dataset.ts";
import { subset } from "../../data/dataset.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Evaluation } from "../../training/compilation/evaluator.ts";
import type { GrowthRecord, StoppedBy } from "../../training/history/record.ts";
import type { TrainerState } from "../../training/history/state.ts";
import type { EarlyStopping } from "../../training/policy/early-stopping.ts";
import type { GrowthPolicy } from "../../training/policy/policy.ts";
import type { ControllerDecision } from "../../training/policy/state.ts";
import { listen, TrainingLoop } from "../../training/trainer/loop.ts";
import type { EvaluationEvent, LoopEvent } from "../../training/trainer/run-event.ts";
import type { Trainer } from "../../training/trainer/trainer.ts";
import type { RunArm, RunDiagnosis, RunPoint } from "./run-record.ts";

export interface RecorderOptions {
  /** The arm's name in the report. */
  readonly name: string;
  /** Updates of the complete run, counted from the trainer's first. */
  readonly steps: number;
  /** Evaluated every `evaluateEvery` updates and at the end. */
  readonly test?: Dataset;
  /** Default: once an epoch. */
  readonly evaluateEvery?: number;
  /** Updates between two points of the curves. Default: a two-hundredth of the run. */
  readonly pointEvery?: number;
  /** Updates between diagnoses, in addition to those at growths and at the end. Default: an eighth of the run. */
  readonly diagnoseEvery?: number;
  /** When, where and by how much to grow; trials may be judged on the data of early stopping. */
  readonly growth?: GrowthPolicy;
  /** Stops by validation data and restores the best weights. */
  readonly earlyStopping?: EarlyStopping & { readonly validation: Dataset };
  /** Default: never. */
  readonly checkpointEvery?: number;
  readonly events?: RecorderEvents;
  /** What an earlier part of this run recorded, up to the trainer's step. */
  readonly past?: RunPast;
}

/** Called in the order of events; each may be asynchronous. Their time does not count as training. */
export interface RecorderEvents {
  readonly step?: (info: { readonly step: number; readonly loss: number; readonly examples: number }) => void;
  readonly point?: (point: RunPoint) => void | Promise<void>;
  readonly decision?: (decision: ControllerDecision) => void | Promise<void>;
  readonly growth?: (record: GrowthRecord) => void | Promise<void>;
  readonly diagnosis?: (diagnosis: RunDiagnosis) => void | Promise<void>;
  /** Called when the validation score is the best so far. */
  readonly best?: () => void | Promise<void>;
  /** Called at a good moment to save: every point so far has been emitted, and every growth that was due is done. */
  readonly checkpoint?: () => void | Promise<void>;
}

export interface RunPast {
  readonly points: readonly RunPoint[];
  readonly diagnoses: readonly RunDiagnosis[];
  /** All validation scores in chronological order, including those of undone stretches. Default: those of `points`. */
  readonly scores?: readonly Pick<RunPoint, "step" | "validation">[];
  /** The state with the best validation score, if there is early stopping. */
  readonly best?: TrainerState | undefined;
}

/** Why {@link Recorder.advance} returned. */
export type RunStatus = "paused" | "complete" | Exclude<StoppedBy, "steps">;

/**
 * Listens to a training run and records it as an arm of a run record. Seconds are those of updates and
 * growths: evaluating, diagnosing and saving are left out.
 */
export class Recorder {
  readonly #trainer: Trainer;
  readonly #data: Dataset;
  readonly #options: RecorderOptions;
  readonly #every: { readonly point: number; readonly diagnose: number };
  readonly #loop: TrainingLoop;
  #points: RunPoint[];
  #diagnoses: RunDiagnosis[];
  #growths: GrowthRecord[];
  readonly #secondsBefore: number;
  /** Losses since the last point, weighted by examples. */
  #pending = { loss: 0, examples: 0 };

  /** Throws `UNKNOWN_WIDTH`, `NOT_GROWABLE` or `ARGUMENT` if the network cannot grow as requested. */
  constructor(trainer: Trainer, data: Dataset, options: RecorderOptions) {
    const { steps, past, earlyStopping, test, growth, checkpointEvery } = options;
    this.#trainer = trainer;
    this.#data = data;
    this.#options = options;
    const { evaluateEvery, pointEvery, diagnoseEvery } = options;
    this.#every = {
      point: period("pointEvery", pointEvery, Math.ceil(steps / 200)),
      diagnose: period("diagnoseEvery", diagnoseEvery, Math.ceil(steps / 8)),
    };
    this.#points = [...(past?.points ?? [])];
    this.#diagnoses = [...(past?.diagnoses ?? [])];
    this.#growths = [...trainer.growths];
    this.#secondsBefore = this.#points.at(-1)?.seconds ?? 0;
    this.#loop = new TrainingLoop(trainer, data, {
      complete: ({ step }) => step >= steps,
      steps,
      test,
      validation: earlyStopping?.validation,
      evaluateEvery: period(
        "evaluateEvery",
        evaluateEvery,
        Math.ceil(data.count / trainer.settings.batchSize),
      ),
      evaluateEnds: true,
      earlyStopping,
      growth,
      checkpointEvery,
      past: { scores: past?.scores ?? this.#points, best: past?.best },
    });
  }

  get points(): readonly RunPoint[] {
    return this.#points;
  }

  /** Seconds of training so far. */
  get seconds(): number {
    return this.#secondsBefore + this.#loop.seconds;
  }

  /** Seconds of the updates and growths that this recorder saw. */
  get examplesPerSecond(): number {
    const { seconds, examples } = this.#loop;
    return seconds > 0 ? examples / seconds : 0;
  }

  /** The best validation score and its step. */
  get best(): { readonly step: number; readonly score: number } | undefined {
    return this.#loop.best;
  }

  /**
   * Trains until `until` updates are done (default: all), validation stops improving, or `signal` asks to stop, in
   * which case the current update is finished first. Throws `DIVERGED`.
   */
  async advance(until: number = this.#options.steps, signal?: AbortSignal): Promise<RunStatus> {
    const status = await listen(this.#loop.advance(until, signal), (event) => this.#hear(event));
    return status === "steps" ? "complete" : status;
  }

  /** Records a point for the updates since the last one, so that nothing is lost if a run stops early. */
  async flush(): Promise<void> {
    if (this.#pending.examples > 0) await this.#addPoint();
  }

  /** Restores the best weights if there is early stopping, evaluates, and returns the record. */
  async finish(): Promise<RunArm> {
    await this.flush();
    const trainer = this.#trainer;
    // If the run was stopped, the last diagnosis may be old, and of a narrower network.
    const stale = !(await this.#loop.takeBest()) && this.#diagnoses.at(-1)?.step !== trainer.step;
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

  async #hear(event: LoopEvent): Promise<void> {
    const { events } = this.#options;
    switch (event.kind) {
      case "step": {
        const { step, loss, batchSize } = event;
        const { loss: sum, examples } = this.#pending;
        this.#pending = { loss: sum + loss * batchSize, examples: examples + batchSize };
        events?.step?.({ step, loss, examples: batchSize });
        // If this step is to be evaluated, its point comes with the evaluation.
        if (event.evaluates) return;
        if (event.saves || step % this.#every.point === 0) await this.#addPoint();
        if (step % this.#every.diagnose === 0) await this.#diagnose();
        return;
      }
      case "evaluation": {
        await this.#addPoint(event);
        const { step } = event;
        const last = step >= this.#options.steps;
        if (step > 0 && (last || step % this.#every.diagnose === 0)) await this.#diagnose();
        return;
      }
      case "decision": {
        const { action, step } = event.decision;
        if (step === 0 || (action !== "grow" && action !== "undo")) return;
        if (this.#points.at(-1)?.step !== step) await this.#addPoint();
        if (this.#diagnoses.at(-1)?.step !== step) await this.#diagnose();
        return;
      }
      case "growth": {
        const { decision, growths } = event;
        if (decision.backTo !== undefined) this.#forget(decision.backTo);
        this.#growths.push(...growths);
        await events?.decision?.(decision);
        for (const record of growths) await events?.growth?.(record);
        return;
      }
      case "checkpoint":
        return events?.checkpoint?.();
    }
  }

  /** What came after `step` has been undone. */
  #forget(step: number): void {
    this.#points = this.#points.filter((point) => point.step <= step);
    this.#diagnoses = this.#diagnoses.filter((diagnosis) => diagnosis.step <= step);
    this.#growths = [...this.#trainer.growths];
    this.#pending = { loss: 0, examples: 0 };
  }

  /** Records the state of the run, with the scores of an evaluation if there was one. */
  async #addPoint(evaluation?: EvaluationEvent): Promise<void> {
    const { events } = this.#options;
    const trainer = this.#trainer;
    const { loss, examples } = this.#pending;
    this.#pending = { loss: 0, examples: 0 };
    const { test, validation, best = false } = evaluation ?? {};
    const point: RunPoint = {
      step: trainer.step,
      flops: trainer.progress.flops,
      seconds: this.seconds,
      trainLoss: examples > 0 ? loss / examples : await this.#lossBefore(),
      ...(test === undefined ? {} : { test: scoresOf(test) }),
      ...(validation === undefined ? {} : { validation: scoresOf(validation) }),
      widths: this.#widths(),
    };
    this.#points.push(point);
    if (best) await events?.best?.();
    await events?.point?.(point);
  }

  /** Before the first update no batch has a loss: the loss of the first examples is used instead. */
  async #lossBefore(): Promise<number> {
    const data = this.#data;
    const head = Array.from({ length: Math.min(data.count, 1000) }, (_, index) => index);
    return (await this.#trainer.evaluate(subset(data, head))).loss;
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

  #widths(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      this.#trainer.widths.filter((width) => width.growable).map((width) => [width.id, width.size]),
    );
  }
}

function scoresOf({ examples: _, ...scores }: Evaluation): NonNullable<RunPoint["test"]> {
  return scores as NonNullable<RunPoint["test"]>;
}

function period(name: string, value: number | undefined, otherwise: number): number {
  const chosen = value ?? Math.max(1, otherwise);
  if (Number.isSafeInteger(chosen) && chosen > 0) return chosen;
  throw new EspalierError("ARGUMENT", {
    thing: name,
    rule: "must be a positive whole number of steps",
    received: value,
    remedy: "Omit it for the default.",
  });
}
