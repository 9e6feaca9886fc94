import type { Dataset } from "../../data/dataset.ts";
import { activationNames } from "../../nn/activation.ts";
import type { LossOf } from "../../training/losses/index.ts";
import type { NewbornOptions } from "../../training/optimizers/newborn.ts";
import type { Optimizer } from "../../training/optimizers/optimizer.ts";
import type { GrowthPolicy } from "../../training/policy/policy.ts";
import type { TrainerOptions } from "../../training/settings/options.ts";
import type { TaskOptions } from "../../training/settings/task-options.ts";
import { parseClassWeights } from "../options/class-weights-option.ts";
import { type DataOptions, parseData } from "../options/data-option.ts";
import { lossOption, predictsOf } from "../options/loss-option.ts";
import type { ModelFileOptions } from "../options/model-option.ts";
import type { NetworkOptions } from "../options/network.ts";
import { badOption, decimal, oneOf, sizes, strategyName, wholeNumber } from "../options/option-values.ts";
import { type PolicyOptions, policyOption } from "../options/policy-option.ts";
import { type RawTableOptions, readTableOptions } from "../options/table-options.ts";
import { type ModelChoice, taskOptions } from "../options/trained-model.ts";
import { widenEvents } from "../options/widen-option.ts";
import { optimizerOption, type RawOptimizerOptions } from "./optimizer-option.ts";
import { type RawScheduleOptions, scheduleOption } from "./schedule-option.ts";

/** The options of `espalier train` as typed; stored in `config.json`, and read back through the same checks. */
export interface RawTrainOptions
  extends ModelFileOptions,
    PolicyOptions,
    RawTableOptions,
    RawOptimizerOptions,
    RawScheduleOptions {
  readonly data: string;
  readonly testFraction: string;
  readonly validationFraction?: string;
  readonly model?: string;
  readonly freeze?: readonly string[];
  readonly trainConstants?: boolean;
  readonly trainOnly?: readonly string[];
  readonly layers?: string;
  readonly hidden?: string;
  readonly conv?: string;
  readonly activation: string;
  readonly batchNorm?: boolean;
  readonly dropout: string;
  readonly loss?: string;
  readonly output?: string;
  readonly batchAxis?: string;
  readonly classWeights?: string;
  readonly sizes?: string;
  readonly clipNorm?: string;
  readonly batch: string;
  readonly epochs?: string;
  readonly steps?: string;
  readonly seed: string;
  readonly threads: string;
  readonly widen: readonly string[];
  readonly every?: string;
  readonly until?: string;
  readonly newbornWarmup?: string;
  readonly newbornYouth?: string;
  readonly newbornRate?: string;
  readonly strategy?: string;
  readonly earlyStopping?: string;
  readonly evaluateEvery?: string;
  readonly checkpointEvery?: string;
}

/** All options of `espalier train`. */
export interface TrainCommandOptions extends RawTrainOptions {
  readonly out?: string;
  readonly resume?: string;
  readonly resumeStep?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** The same options, checked and parsed. */
export interface TrainPlan {
  readonly data: DataOptions;
  /** A model file to continue training; undefined: the network that the options describe. */
  readonly model: ModelChoice | undefined;
  readonly network: NetworkOptions;
  readonly parameters: Pick<TrainerOptions, "trainable" | "frozen" | "trainConstants">;
  /** Undefined: chosen by the data. */
  readonly loss: LossOf | undefined;
  /** What else the options say about the model's task; the rest follows from the data. */
  readonly task: Omit<TaskOptions, "loss">;
  /** As typed: only the model knows whether it has such sizes. */
  readonly sizes: string | undefined;
  /** Weights of the data's classes. */
  readonly classWeights: ((data: Dataset) => readonly number[]) | undefined;
  readonly batch: number;
  readonly seed: number;
  readonly threads: number;
  readonly clipNorm: number | undefined;
  readonly newborn: NewbornOptions;
  readonly growth: GrowthPolicy;
  readonly patience: number | undefined;
  readonly evaluateEvery: number | undefined;
  readonly checkpointEvery: number | undefined;
  /** Updates of the whole run; an epoch has `perEpoch`. */
  readonly steps: (perEpoch: number) => number;
  /** For a run of `steps` updates. */
  readonly optimizer: (steps: number) => Optimizer;
}

const defaultEpochs = 20;
/** A small table has few batches per epoch: twenty epochs would end long before a line is fitted. */
const leastUpdates = 1000;
const defaultHidden = [32];

/** Throws `USAGE` for a value or a combination that makes no sense; touches neither data nor disk. */
export function readTrainOptions(raw: RawTrainOptions): TrainPlan {
  const optional = <Value>(text: string | undefined, read: (text: string) => Value) =>
    text === undefined ? undefined : read(text);
  const whole = (option: string, text: string | undefined, least = 1) =>
    optional(text, (value) => wholeNumber(option, value, least));
  if (raw.epochs !== undefined && raw.steps !== undefined)
    throw badOption("--epochs and --steps", "exclude each other", [raw.epochs, raw.steps]);
  const loss = lossOption(raw.loss);
  const batch = wholeNumber("--batch", raw.batch);
  const epochs = whole("--epochs", raw.epochs);
  const steps = whole("--steps", raw.steps);
  const patience = whole("--early-stopping", raw.earlyStopping);
  if (raw.validationFraction !== undefined && patience === undefined)
    throw badOption("--validation-fraction", "goes with --early-stopping", raw.validationFraction);
  const seed = wholeNumber("--seed", raw.seed, 0);
  const share = { above: 0, below: 1 };
  const isTable = parseData(raw.data).kind === "csv";
  const standardize = raw.standardize ?? (isTable && raw.model === undefined);
  const network = networkOptions(raw, seed);
  const model = modelOption(raw);
  const { rate, optimizer } = optimizerOption(raw);
  const schedule = scheduleOption(raw, rate);
  return {
    data: {
      data: raw.data,
      table: readTableOptions(raw, loss),
      // A network made here has no scaling of its own; a loaded model may.
      standardize,
      scaleTarget: standardize && (loss === undefined || predictsOf(loss) === "number"),
      testFraction: decimal("--test-fraction", raw.testFraction, share),
      validationFraction:
        patience === undefined ? 0 : decimal("--validation-fraction", raw.validationFraction ?? "0.1", share),
      seed,
      images: network.conv.length > 0,
    },
    model,
    network,
    parameters: {
      ...(raw.freeze === undefined ? {} : { frozen: raw.freeze }),
      ...(raw.trainConstants === undefined ? {} : { trainConstants: raw.trainConstants }),
      ...(raw.trainOnly === undefined ? {} : { trainable: raw.trainOnly }),
    },
    loss,
    task: taskOption(raw),
    sizes: raw.sizes,
    classWeights: optional(raw.classWeights, parseClassWeights),
    batch,
    seed,
    threads: wholeNumber("--threads", raw.threads),
    clipNorm: optional(raw.clipNorm, (text) => decimal("--clip-norm", text, { above: 0 })),
    newborn: newbornOptions(raw),
    growth: growthOptions(raw),
    patience,
    evaluateEvery: whole("--evaluate-every", raw.evaluateEvery),
    checkpointEvery: whole("--checkpoint-every", raw.checkpointEvery),
    steps(perEpoch) {
      const updates = (epochs ?? defaultEpochs) * perEpoch;
      return steps ?? (isTable && epochs === undefined ? Math.max(updates, leastUpdates) : updates);
    },
    optimizer: (steps) => optimizer(schedule(steps)),
  };
}

function taskOption(raw: RawTrainOptions): TrainPlan["task"] {
  const { output, batchAxis, sizes, model } = raw;
  const given = { "--output": output, "--batch-axis": batchAxis, "--sizes": sizes };
  const [first] = Object.entries(given).filter(([, value]) => value !== undefined);
  if (first !== undefined && model === undefined) throw badOption(first[0], "needs --model", first[1]);
  return taskOptions(raw);
}

function newbornOptions({ newbornWarmup, newbornYouth, newbornRate }: RawTrainOptions): NewbornOptions {
  const youth = wholeNumber("--newborn-youth", newbornYouth ?? "0", 0);
  const rate = decimal("--newborn-rate", newbornRate ?? "1", { least: 0 });
  if (rate !== 1 && youth === 0)
    throw badOption(
      "--newborn-rate",
      "needs --newborn-youth, the number of steps that it applies to",
      newbornRate,
    );
  return { warmup: wholeNumber("--newborn-warmup", newbornWarmup ?? "0", 0), youth, rate };
}

function growthOptions(raw: RawTrainOptions): GrowthPolicy {
  const strategy = raw.strategy === undefined ? undefined : strategyName(raw.strategy);
  const policy = policyOption(raw, strategy);
  const events = widenEvents(raw);
  if (policy === undefined && events.length === 0 && strategy !== undefined)
    throw badOption("--strategy", "goes with --widen, --grow or --grow-when", raw.strategy);
  if (policy === undefined) return { events, ...(strategy === undefined ? {} : { strategy }) };
  if (events.length === 0) return policy;
  throw badOption(
    "--widen",
    "excludes --grow and the --grow-... options",
    raw.widen.join(" "),
    "Leave one of them out.",
  );
}

function modelOption(raw: RawTrainOptions): ModelChoice | undefined {
  if (raw.model === undefined) return undefined;
  const { layers, hidden, conv, batchNorm, activation, dropout } = raw;
  const described = Object.entries({
    "--layers": layers !== undefined,
    "--hidden": hidden !== undefined,
    "--conv": conv !== undefined,
    "--batch-norm": batchNorm === true,
    "--activation": activation !== "relu",
    "--dropout": Number(dropout) !== 0,
  }).filter(([, given]) => given);
  if (described.length === 0) return { path: raw.model, options: raw };
  throw badOption(
    "--model",
    "has its own layers",
    described.map(([option]) => option).join(" "),
    "Leave one of them out.",
  );
}

function networkOptions(raw: RawTrainOptions, seed: number): NetworkOptions {
  const { layers, hidden, conv } = raw;
  if (layers !== undefined && (hidden !== undefined || conv !== undefined)) {
    throw badOption(
      "--layers",
      "states every size and excludes --hidden and --conv",
      layers,
      "Use --hidden alone to have the input and output sizes found from the data.",
    );
  }
  const fixed = layers === undefined ? undefined : sizes("--layers", layers);
  if (fixed !== undefined && fixed.length < 2) {
    throw badOption("--layers", "needs at least two sizes: features, hidden units ..., outputs", layers);
  }
  return {
    layers: fixed,
    conv: conv === undefined ? [] : sizes("--conv", conv),
    hidden: hidden === undefined ? (conv === undefined ? defaultHidden : []) : sizes("--hidden", hidden),
    activation: oneOf("--activation", raw.activation, activationNames),
    batchNorm: raw.batchNorm ?? false,
    dropout: decimal("--dropout", raw.dropout, { least: 0, below: 1 }),
    seed,
  };
}
