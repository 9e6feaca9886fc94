import type { Dataset } from "../../data/dataset.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { checkOptionNames, type OptionNames } from "../../tensor/known-options.ts";
import type { EarlyStopping } from "../policy/early-stopping.ts";
import type { GrowthPolicy } from "../policy/policy.ts";
import { isOver } from "../schedules/index.ts";
import { type LoopOptions, scheduleOver } from "./loop.ts";
import type { LoopTrainer } from "./loop-trainer.ts";

/** The options of a run. */
export interface RunOptions {
  /** Updates to do in this run. One of `steps` and `epochs` is needed. */
  readonly steps?: number;
  /** Passes through the data in this run; the current epoch counts as the first. */
  readonly epochs?: number;
  /** Evaluated every `validateEvery` steps. */
  readonly validation?: Dataset;
  /** Default: once an epoch. */
  readonly validateEvery?: number;
  /** Stops when validation has not improved, and restores the best weights. Needs `validation`. */
  readonly earlyStopping?: EarlyStopping;
  /** Grows while it trains. */
  readonly growth?: GrowthPolicy;
  /**
   * Steps between two checkpoints, counted from the trainer's first step; a new run starts with one. Default:
   * none.
   */
  readonly checkpointEvery?: number;
  /** Stops between two steps. */
  readonly signal?: AbortSignal;
}

/** Their names, for callers in JavaScript. */
export const runNames: OptionNames<RunOptions> = {
  steps: true,
  epochs: true,
  validation: true,
  validateEvery: true,
  earlyStopping: true,
  growth: true,
  checkpointEvery: true,
  signal: true,
};

const stoppingNames: OptionNames<EarlyStopping> = { patience: true, monitor: true, minDelta: true };

/** The options of a run's loop. Throws `ARGUMENT` or `EMPTY_DATA`. */
export function loopOptions(trainer: LoopTrainer, data: Dataset, options: RunOptions): LoopOptions {
  const { validation, validateEvery, earlyStopping, growth, checkpointEvery } = options;
  if (earlyStopping !== undefined) checkOptionNames("earlyStopping", earlyStopping, stoppingNames);
  for (const [thing, value] of [
    ["validateEvery", validateEvery],
    ["checkpointEvery", checkpointEvery],
    ["earlyStopping.patience", earlyStopping?.patience],
  ] as const) {
    if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) continue;
    throw new EspalierError("ARGUMENT", { thing, rule: "must be a positive whole number", received: value });
  }
  return {
    complete: goalOf(trainer, data, options),
    validation,
    evaluateEvery:
      validation === undefined
        ? Number.POSITIVE_INFINITY
        : (validateEvery ?? Math.ceil(data.count / trainer.settings.batchSize)),
    countFrom: trainer.step,
    earlyStopping,
    growth,
    checkpointEvery,
  };
}

function goalOf(trainer: LoopTrainer, data: Dataset, { steps, epochs }: RunOptions): LoopOptions["complete"] {
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
  if (data.count === 0)
    throw new EspalierError("EMPTY_DATA", { thing: data.name, rule: "needs at least one example" });
  if (steps !== undefined) {
    const last = trainer.step + steps;
    if (steps > 0 && isOver(trainer.settings.optimizer.learningRate, last - 1)) throw scheduleOver(trainer);
    return (now) => now.step >= last;
  }
  const last = trainer.progress.epoch + (epochs as number);
  return (now) => now.epoch >= last;
}
