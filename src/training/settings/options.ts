import type { SessionOptions } from "../../engine/session.ts";
import type { Model } from "../../graph/model.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { checkOptionNames, type OptionNames } from "../../tensor/known-options.ts";
import { isInModel, lossOf } from "../losses/index.ts";
import { adam } from "../optimizers/adam.ts";
import type { Clipping } from "../optimizers/clipping.ts";
import { type Newborn, type NewbornOptions, newbornOf } from "../optimizers/newborn.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import { termsOf } from "./loss-terms.ts";
import { type TaskOptions, taskNames, taskOf } from "./task-options.ts";
import { type MetricChoice, metricsOfTerms } from "./term-metrics.ts";
import { frozenOf, type ParameterChoice } from "./trainable.ts";

export interface TrainerOptions extends TaskOptions {
  /** Default `adam()`. */
  readonly optimizer?: Optimizer;
  /**
   * The parameters to train: names, patterns with `*` ("encoder.*"), or a predicate. Default: all that PyTorch would train,
   * as far as the model's file shows it; {@link parametersOf} lists them.
   */
  readonly trainable?: ParameterChoice;
  /**
   * Constants to train anyway, or whether to train all of them: what the exporter wrote as Constant nodes, buffers, whole or
   * evenly spaced numbers, and tables of sines. Default false.
   */
  readonly trainConstants?: boolean | ParameterChoice;
  /**
   * Parameters to leave unchanged, even if `trainable` names them. Units that they grow by keep their first values too. A
   * BatchNormalization whose scale and shift are frozen keeps its running statistics and normalizes by them.
   */
  readonly frozen?: ParameterChoice;
  /** Default 32. The last batch of an epoch may be smaller. */
  readonly batchSize?: number;
  /** Seed of the shuffle, dropout and new weights. Default 0. */
  readonly seed?: number;
  /** Largest norm of all gradients together. Default: no clipping. */
  readonly clipNorm?: number;
  /** Largest magnitude of one gradient entry. Default: no clipping. */
  readonly clipValue?: number;
  /** A separate learning rate and weight decay for new units while they are young. Default: the same as for all others. */
  readonly newborn?: NewbornOptions;
  /**
   * Measured by `evaluate` besides the loss; of several losses, by the name of each. Default: those that the loss names.
   */
  readonly metrics?: MetricChoice;
  /** Threads inside one operator. Default 1. */
  readonly threads?: number;
  /** Execution providers of ONNX Runtime, best first. Default: CPU in Node, wasm in the browser. */
  readonly providers?: readonly string[];
  /**
   * Who applies the optimizer: the SIMD kernel (fastest), or ONNX operators in the training graph (the readable
   * reference, and what a GPU provider needs). Default "kernel" in Node, "graph" in the browser.
   */
  readonly update?: "kernel" | "graph";
}

const trainerNames: OptionNames<TrainerOptions> = {
  ...taskNames,
  optimizer: true,
  trainable: true,
  trainConstants: true,
  frozen: true,
  batchSize: true,
  seed: true,
  clipNorm: true,
  clipValue: true,
  newborn: true,
  metrics: true,
  threads: true,
  providers: true,
  update: true,
};

/** Options with their defaults filled in. */
export interface TrainerSettings extends TaskOptions {
  readonly optimizer: Optimizer;
  /** Names of parameters that are not trained although they could be. */
  readonly frozen: readonly string[];
  readonly batchSize: number;
  readonly seed: number;
  readonly clipping: Clipping;
  readonly newborn: Newborn | undefined;
  readonly session: SessionOptions;
  readonly update: "kernel" | "graph" | undefined;
}

/** The settings that a learner needs. */
export type LearnerSettings = Pick<TrainerSettings, "optimizer" | "clipping" | "newborn" | "session">;

/** Throws `ARGUMENT` for values that make no sense, and for names that `model` does not have. */
export function checkOptions(options: TrainerOptions, model?: Model): TrainerSettings {
  checkOptionNames("Trainer.create", options, trainerNames);
  const task = taskOf(options);
  const { optimizer = adam(), batchSize = 32, seed = 0, threads = 1 } = options;
  for (const { loss } of termsOf(task)) if (!isInModel(loss)) lossOf(loss);
  metricsOfTerms(task, options.metrics);
  if (options.update === "kernel" && optimizer.kernel === undefined) {
    throw new EspalierError("ARGUMENT", {
      thing: "update",
      rule: `"kernel" needs an optimizer that has a kernel`,
      received: optimizer.name,
      remedy: "Leave `update` out: the graph then applies it.",
    });
  }
  wholeNumber("batchSize", batchSize, 1);
  wholeNumber("seed", seed, 0);
  wholeNumber("threads", threads, 1);
  positive("clipNorm", options.clipNorm);
  positive("clipValue", options.clipValue);
  return {
    ...task,
    optimizer,
    frozen: model === undefined ? [] : frozenOf(model, options),
    batchSize,
    seed,
    clipping: { norm: options.clipNorm, value: options.clipValue },
    newborn: newbornOf(options.newborn ?? {}),
    session: { threads, ...(options.providers === undefined ? {} : { providers: options.providers }) },
    update: options.update,
  };
}

function wholeNumber(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new EspalierError("ARGUMENT", {
    thing: name,
    rule: `must be a whole number of at least ${least}`,
    received: value,
  });
}

function positive(name: string, value: number | undefined): void {
  if (value === undefined || value > 0) return;
  throw new EspalierError("ARGUMENT", { thing: name, rule: "must be positive", received: value });
}
