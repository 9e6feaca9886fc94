import type { Dataset } from "../../data/dataset.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Evaluation } from "../compilation/evaluator.ts";
import type { FitResult, GrowthRecord, StepInfo } from "../history/record.ts";
import { isOver, rateAt } from "../optimizers/schedule.ts";
import { StoppingWatch } from "../policy/early-stopping.ts";
import type { GrowthPolicy } from "../policy/policy.ts";
import type { ControllerDecision } from "../policy/state.ts";
import { GrowthController } from "./controller.ts";
import type { Trainer, TrainerState } from "./trainer.ts";

export interface FitOptions {
  /** Updates to do in this call. One of `steps` and `epochs` is needed. */
  readonly steps?: number;
  /** Times to go through the data in this call; the epoch under way counts as the first. */
  readonly epochs?: number;
  /** Evaluated every `validateEvery` steps. */
  readonly validation?: Dataset;
  /** Default: once an epoch. */
  readonly validateEvery?: number;
  /** Stops when validation has not improved, and goes back to the best weights. Needs `validation`. */
  readonly earlyStopping?: EarlyStopping;
  /** Grows while it trains. */
  readonly growth?: GrowthPolicy;
  /** Called after every decision about growth, with what has grown. */
  readonly onDecision?: (
    decision: ControllerDecision,
    growths: readonly GrowthRecord[],
  ) => void | Promise<void>;
  /** Called after every step; may be asynchronous. */
  readonly onStep?: (info: StepInfo) => void | Promise<void>;
  /** Called after every validation. */
  readonly onValidation?: (evaluation: Evaluation, info: StepInfo) => void | Promise<void>;
  /** Stops between two steps. */
  readonly signal?: AbortSignal;
}

export interface EarlyStopping {
  /** Validations without improvement before it stops. */
  readonly patience: number;
  /** "loss" or the name of a metric. Default "loss". */
  readonly monitor?: string;
  /** Improvement that counts. Default 0. */
  readonly minDelta?: number;
}

/** The training loop. See {@link Trainer.fit}. */
export async function runFit(trainer: Trainer, data: Dataset, options: FitOptions = {}): Promise<FitResult> {
  const goal = goalOf(trainer, data, options);
  const { validation, signal } = options;
  const validateEvery = options.validateEvery ?? Math.ceil(data.count / trainer.settings.batchSize);
  const watch =
    options.earlyStopping === undefined ? undefined : new Watch(trainer, options.earlyStopping, validation);
  const { growth: policy } = options;
  const controller =
    policy === undefined ? undefined : new GrowthController(trainer, { policy, data, validation });
  const decisions: ControllerDecision[] = [];
  const first = trainer.step;
  const started = performance.now();
  let examples = 0;
  let loss = Number.NaN;
  let stoppedBy: FitResult["stoppedBy"] = "steps";
  for (;;) {
    if (signal?.aborted) {
      stoppedBy = "signal";
      break;
    }
    while (controller !== undefined) {
      const decision = await controller.next(goal(trainer));
      if (decision === undefined) break;
      const grown = await controller.carryOut();
      decisions.push(decision);
      await options.onDecision?.(decision, grown);
    }
    if (goal(trainer)) break;
    if (controller?.over) {
      stoppedBy = "budget";
      break;
    }
    const schedule = trainer.settings.optimizer.learningRate;
    if (isOver(schedule, trainer.step)) throw scheduleOver(trainer);
    const learningRate = rateAt(schedule, trainer.step);
    const { epoch } = trainer.progress;
    const begun = performance.now();
    const done = await trainer.trainStep(data);
    controller?.see(done.loss, (performance.now() - begun) / 1000);
    loss = done.loss;
    examples += done.size;
    const { step, flops } = trainer.progress;
    const info: StepInfo = { step, epoch, loss, learningRate, batchSize: done.size, flops };
    await options.onStep?.(info);
    if (validation !== undefined && (step - first) % validateEvery === 0) {
      const evaluation = await trainer.evaluate(validation);
      await options.onValidation?.(evaluation, info);
      if (watch?.see(evaluation)) {
        stoppedBy = "early stopping";
        break;
      }
    }
  }
  const steps = trainer.step - first;
  const best = await watch?.finish();
  // The last update has had no loss yet that could show what it did.
  if (steps > 0) await trainer.settle();
  const seconds = (performance.now() - started) / 1000;
  return {
    steps,
    step: trainer.step,
    epoch: trainer.progress.epoch,
    loss,
    stoppedBy,
    ...(best === undefined ? {} : { best }),
    decisions,
    seconds,
    examplesPerSecond: seconds === 0 ? 0 : examples / seconds,
  };
}

/** For updates that would change nothing. */
function scheduleOver({ step, settings }: Trainer): EspalierError {
  return new EspalierError("ARGUMENT", {
    thing: "fit",
    rule: "must not go on behind the end of a cosine that comes down to 0: such updates change nothing",
    received: { step, schedule: settings.optimizer.learningRate },
    remedy:
      "Fit fewer steps, or go on with a new schedule: Trainer.resume(await trainer.checkpoint(), { learningRate }), for example cosineRate(rate, { from: trainer.step, steps }).",
  });
}

function goalOf(trainer: Trainer, data: Dataset, options: FitOptions): (trainer: Trainer) => boolean {
  const { steps, epochs } = options;
  const amount = steps ?? epochs;
  if (
    (steps === undefined) === (epochs === undefined) ||
    !Number.isSafeInteger(amount) ||
    (amount as number) < 0
  ) {
    throw new EspalierError("ARGUMENT", {
      thing: "fit",
      rule: "needs either `steps` or `epochs`, a whole number",
      received: { steps, epochs },
      remedy: "For example fit(data, { epochs: 5 }).",
    });
  }
  for (const [thing, value] of [
    ["validateEvery", options.validateEvery],
    ["earlyStopping.patience", options.earlyStopping?.patience],
  ] as const) {
    if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) continue;
    throw new EspalierError("ARGUMENT", { thing, rule: "must be a positive whole number", received: value });
  }
  if (data.count === 0)
    throw new EspalierError("EMPTY_DATA", { thing: data.name, rule: "needs at least one example" });
  if (steps !== undefined) {
    const last = trainer.step + steps;
    if (steps > 0 && isOver(trainer.settings.optimizer.learningRate, last - 1)) throw scheduleOver(trainer);
    return (now) => now.step >= last;
  }
  const last = trainer.progress.epoch + (epochs as number);
  return (now) => now.progress.epoch >= last;
}

/** Watches a validation score and remembers the best state. */
class Watch {
  readonly #trainer: Trainer;
  readonly #monitor: string;
  readonly #watch: StoppingWatch;
  #state: TrainerState | undefined;

  constructor(trainer: Trainer, options: EarlyStopping, validation: Dataset | undefined) {
    this.#trainer = trainer;
    this.#monitor = options.monitor ?? "loss";
    const metric = trainer.metrics.find(({ name }) => name === this.#monitor);
    if (validation === undefined || (metric === undefined && this.#monitor !== "loss")) {
      throw new EspalierError("ARGUMENT", {
        thing: "earlyStopping",
        rule: `needs \`validation\` and a monitor among ${["loss", ...trainer.metrics.map(({ name }) => name)].join(", ")}`,
        received: validation === undefined ? "no validation data" : this.#monitor,
      });
    }
    this.#watch = new StoppingWatch(options, metric?.better ?? "lower");
  }

  /** Whether to stop. */
  see(evaluation: Evaluation): boolean {
    const improved = this.#watch.see(this.#trainer.step, evaluation[this.#monitor] as number);
    if (improved) this.#state = this.#trainer.state();
    return this.#watch.exhausted;
  }

  /** Goes back to the best state, where there is one. */
  async finish(): Promise<{ readonly step: number; readonly score: number } | undefined> {
    if (this.#state !== undefined) await this.#trainer.restoreWeights(this.#state);
    return this.#watch.best;
  }
}
