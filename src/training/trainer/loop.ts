import { platform } from "#platform";
import type { Dataset } from "../../data/dataset.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { StoppedBy } from "../history/record.ts";
import type { Progress, TrainerState } from "../history/state.ts";
import { type EarlyStopping, StoppingWatch } from "../policy/early-stopping.ts";
import type { GrowthPolicy } from "../policy/policy.ts";
import { isOver, rateAt } from "../schedules/index.ts";
import { GrowthController } from "./controller.ts";
import type { LoopTrainer } from "./loop-trainer.ts";
import { pacer } from "./pacer.ts";
import type { DecisionEvent, EvaluationEvent, GrownEvent, LoopEvent, StepEvent } from "./run-event.ts";

export interface LoopOptions {
  /** Whether no update is to follow. */
  readonly complete: (progress: Progress) => boolean;
  /** Updates at which the run is complete, if that is known beforehand: policies are checked against it. */
  readonly steps?: number | undefined;
  readonly validation?: Dataset | undefined;
  readonly test?: Dataset | undefined;
  /** Updates between two evaluations, counted from `countFrom`. */
  readonly evaluateEvery: number;
  /** Default 0. */
  readonly countFrom?: number;
  /** Whether to evaluate before the first update and after the last, too. Default no. */
  readonly evaluateEnds?: boolean;
  /** Stops by the scores on the validation data. */
  readonly earlyStopping?: EarlyStopping | undefined;
  readonly growth?: GrowthPolicy | undefined;
  /** Default: no checkpoint is ever due. */
  readonly checkpointEvery?: number | undefined;
  /** What an earlier part of this run has seen. */
  readonly past?: LoopPast | undefined;
}

export interface LoopPast {
  /** Validation scores in order of time, including those of stretches that were undone. */
  readonly scores: readonly { readonly step: number; readonly validation?: Scores }[];
  /** The state with the best of them. */
  readonly best?: TrainerState | undefined;
}

type Scores = Readonly<Record<string, number>>;

/** Trainers that are being trained by a loop at the moment. */
const busy = new WeakSet<LoopTrainer>();

/**
 * The one training loop: updates, evaluations, early stopping, decisions about growth, and when a checkpoint is due. It
 * reports what happens as events; a listener may take any time over each. Everything that it knows is in the
 * trainer's progress and in {@link LoopPast}, so a resumed run does what the whole one would have done.
 */
export class TrainingLoop {
  readonly #trainer: LoopTrainer;
  readonly #data: Dataset;
  readonly #options: LoopOptions;
  readonly #watch: StoppingWatch | undefined;
  readonly #controller: GrowthController | undefined;
  #best: TrainerState | undefined;
  /** Whether the first evaluation is still to come. */
  #fresh: boolean;
  /** Whether a checkpoint is due once everything else is done. */
  #saves: boolean;
  #seconds = 0;
  #examples = 0;

  /** Throws `UNKNOWN_WIDTH`, `NOT_GROWABLE` or `ARGUMENT` for a policy or a monitor that does not suit the trainer. */
  constructor(trainer: LoopTrainer, data: Dataset, options: LoopOptions) {
    const { past, earlyStopping, growth: policy, validation, steps, checkpointEvery } = options;
    this.#trainer = trainer;
    this.#data = data;
    this.#options = options;
    this.#best = past?.best;
    this.#fresh = options.evaluateEnds === true && trainer.step === 0 && !past?.scores.length;
    this.#saves = checkpointEvery !== undefined && trainer.step === 0;
    if (earlyStopping !== undefined) {
      this.#watch = StoppingWatch.of(earlyStopping, trainer.metrics, validation !== undefined);
      for (const { step, validation: scores } of past?.scores ?? [])
        if (scores !== undefined) this.#watch.see(step, this.#scoreOf(scores));
    }
    if (policy !== undefined)
      this.#controller = new GrowthController(trainer, {
        policy,
        data,
        validation,
        ...(steps === undefined ? {} : { steps }),
      });
  }

  /** Seconds of updates, scoring and growing in this loop; those of evaluations and listeners do not count. */
  get seconds(): number {
    return this.#seconds;
  }

  /** Examples trained on in this loop. */
  get examples(): number {
    return this.#examples;
  }

  /** The state with the best validation score. */
  get bestState(): TrainerState | undefined {
    return this.#best;
  }

  /** The best validation score and its step. */
  get best(): { readonly step: number; readonly score: number } | undefined {
    return this.#watch?.best;
  }

  /** Restores the weights with the best validation score. Returns whether there are any. */
  async takeBest(): Promise<boolean> {
    if (this.#best === undefined) return false;
    await this.#trainer.restoreWeights(this.#best);
    return true;
  }

  /**
   * Trains until the run has ended or `until` updates are done altogether, and everything due after the last of them has
   * been done too. `signal` is checked between two updates, after a due evaluation; `gate` is awaited
   * before every update. Throws `BUSY` if another loop is training this trainer, `DIVERGED`.
   */
  async *advance(
    until: number = Number.POSITIVE_INFINITY,
    signal?: AbortSignal,
    gate?: () => Promise<void> | undefined,
  ): AsyncGenerator<LoopEvent, StoppedBy | "paused", undefined> {
    const trainer = this.#trainer;
    const { complete } = this.#options;
    if (busy.has(trainer)) throw trainedAlready(trainer);
    busy.add(trainer);
    const pace = pacer(platform.turn);
    try {
      if (this.#fresh) yield await this.#evaluate();
      for (;;) {
        if (this.#watch?.exhausted) return "early stopping";
        if (signal?.aborted) return "signal";
        yield* this.#grow();
        if (complete(trainer.progress)) return "steps";
        if (this.#controller?.over) return "budget";
        if (this.#saves) yield { kind: "checkpoint", step: trainer.step };
        this.#saves = false;
        if (trainer.step >= until) return "paused";
        await gate?.();
        await pace();
        if (signal?.aborted) return "signal";
        const event = await this.#update();
        yield event;
        if (event.evaluates) yield await this.#evaluate();
      }
    } finally {
      busy.delete(trainer);
    }
  }

  async #update(): Promise<StepEvent> {
    const trainer = this.#trainer;
    const { complete, evaluateEvery, evaluateEnds = false, countFrom = 0, checkpointEvery } = this.#options;
    const schedule = trainer.settings.optimizer.learningRate;
    if (isOver(schedule, trainer.step)) throw scheduleOver(trainer);
    const learningRate = rateAt(schedule, trainer.step);
    const { epoch } = trainer.progress;
    const started = this.#seconds;
    const { loss, size } = await this.#timed(() => trainer.trainStep(this.#data));
    this.#examples += size;
    this.#controller?.see(loss, this.#seconds - started);
    const { step, flops } = trainer.progress;
    const last = complete(trainer.progress);
    this.#saves = !last && checkpointEvery !== undefined && step % checkpointEvery === 0;
    return {
      kind: "step",
      ...{ step, epoch, loss, learningRate, batchSize: size, flops },
      last,
      evaluates: (step - countFrom) % evaluateEvery === 0 || (last && evaluateEnds),
      saves: this.#saves,
    };
  }

  async #evaluate(): Promise<EvaluationEvent> {
    const { validation, test } = this.#options;
    const trainer = this.#trainer;
    this.#fresh = false;
    // Weights that the update ruined have no scores.
    await trainer.settle();
    const scores = {
      ...(validation === undefined ? {} : { validation: await trainer.evaluate(validation) }),
      ...(test === undefined ? {} : { test: await trainer.evaluate(test) }),
    };
    const { step } = trainer;
    const best =
      scores.validation !== undefined && this.#watch?.see(step, this.#scoreOf(scores.validation)) === true;
    if (best) this.#best = trainer.state();
    return { kind: "evaluation", step, ...scores, best };
  }

  /** Decides and grows until training is to continue. */
  async *#grow(): AsyncGenerator<DecisionEvent | GrownEvent> {
    const controller = this.#controller;
    if (controller === undefined) return;
    for (;;) {
      const last = this.#options.complete(this.#trainer.progress);
      const decision = await this.#timed(() => controller.next(last));
      if (decision === undefined) return;
      yield { kind: "decision", decision };
      const growths = await this.#timed(() => controller.carryOut());
      yield { kind: "growth", decision, growths };
    }
  }

  async #timed<Result>(work: () => Promise<Result>): Promise<Result> {
    const started = performance.now();
    const result = await work();
    this.#seconds += (performance.now() - started) / 1000;
    return result;
  }

  #scoreOf(scores: Scores): number {
    return scores[this.#options.earlyStopping?.monitor ?? "loss"] as number;
  }
}

/** Passes every event of a loop to a listener, one after another, and returns what the loop returns. */
export async function listen<Event, Result>(
  events: AsyncGenerator<Event, Result, undefined>,
  hear: (event: Event) => void | Promise<void>,
): Promise<Result> {
  try {
    for (;;) {
      const { done, value } = await events.next();
      if (done === true) return value;
      await hear(value);
    }
  } finally {
    // If the listener fails, the loop must end too.
    await events.return(undefined as never);
  }
}

function trainedAlready({ step }: LoopTrainer): EspalierError {
  return new EspalierError("BUSY", {
    thing: "trainer",
    rule: "trains in one run at a time, and another one is under way",
    received: { step },
    remedy:
      "Await the other fit first; end a run that you no longer want with `await run.return()`, or by its signal.",
  });
}

/** For updates that would change nothing. */
export function scheduleOver({ step, settings }: Pick<LoopTrainer, "step" | "settings">): EspalierError {
  return new EspalierError("ARGUMENT", {
    thing: "fit",
    rule: "must not continue past the end of a cosine that decays to 0: such updates change nothing",
    received: { step, schedule: settings.optimizer.learningRate },
    remedy:
      "Fit fewer steps, or continue with a new schedule: Trainer.resume(await trainer.checkpoint(), { learningRate }), for example cosineRate(rate, { from: trainer.step, steps }).",
  });
}
