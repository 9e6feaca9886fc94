import { resolve } from "node:path";
import { platform } from "#platform";
import { readPreprocessing } from "../../data/preprocessing/index.ts";
import type { Model } from "../../graph/model.ts";
import { readMetrics } from "../../report/record/metrics-history.ts";
import type { RunPast } from "../../report/record/recorder.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { updatesPerEpoch } from "../../training/graphs/feeding.ts";
import type { ResumeOptions } from "../../training/history/open-checkpoint.ts";
import { prolonged } from "../../training/schedules/index.ts";
import { checkOptions, type TrainerOptions } from "../../training/settings/options.ts";
import { taskOf } from "../../training/settings/task-options.ts";
import { Trainer } from "../../training/trainer/trainer.ts";
import {
  absoluteData,
  fingerprint,
  loadData,
  type TrainingData,
  withRecord,
} from "../options/data-option.ts";
import { buildNetwork, lossFor } from "../options/network.ts";
import { badOption, wholeNumber } from "../options/option-values.ts";
import { policyOption } from "../options/policy-option.ts";
import { parseSizes } from "../options/sizes-option.ts";
import { optionName } from "../options/table-options.ts";
import { fitData, modelTask, openTrainable } from "../options/trained-model.ts";
import { inFile } from "../print/in-file.ts";
import { type RunConfig, RunFolder } from "./run-folder.ts";
import { bestName, checkpointsName, metricsName } from "./run-output.ts";
import {
  type RawTrainOptions,
  readTrainOptions,
  type TrainCommandOptions,
  type TrainPlan,
} from "./train-options.ts";

/** A run that is ready to train: checked and loaded, with nothing written yet. */
export interface RunPreparation {
  readonly raw: RawTrainOptions;
  readonly plan: TrainPlan;
  readonly data: TrainingData;
  readonly trainer: Trainer;
  /** What was assumed about the model, in sentences. */
  readonly notes: readonly string[];
  /** Updates of the complete run. */
  readonly steps: number;
  readonly folder: RunFolder | undefined;
  readonly config: RunConfig;
  /** What was recorded up to the trainer's step, if the run is resumed. */
  readonly past: RunPast | undefined;
  /** `metrics.jsonl` up to that step. */
  readonly metricsText: string;
}

/** Prepares a new run. Throws before anything is written if options, data, network and folder do not fit. */
export async function startRun(options: TrainCommandOptions): Promise<RunPreparation> {
  if (options.resumeStep !== undefined)
    throw badOption("--resume-step", "goes with --resume", options.resumeStep);
  if (options.checkpointEvery !== undefined && options.out === undefined)
    throw badOption(
      "--checkpoint-every",
      "goes with --out",
      options.checkpointEvery,
      "Give a folder: --out DIR.",
    );
  const raw = await withPolicy(rawOptions(options));
  const plan = readTrainOptions(raw);
  const folder = options.out === undefined ? undefined : RunFolder.at(options.out);
  const opened = plan.model === undefined ? undefined : await openTrainable(plan.model);
  const record = opened?.preprocessing;
  const loaded = await loadData(withRecord(plan.data, record));
  const { trainer, data, steps, notes: trained } = await freshTrainer(plan, loaded, opened?.model);
  const notes = [...(opened?.notes ?? []), ...trained];
  const config: RunConfig = {
    command: "train",
    started: new Date().toISOString(),
    options: { ...absolute(raw) },
    data: await fingerprint(loaded),
    ...(opened === undefined ? {} : { nodes: opened.nodes }),
    ...(record === undefined ? {} : { preprocessing: record }),
  };
  return { raw, plan, data, trainer, notes, steps, folder, config, past: undefined, metricsText: "" };
}

/** Options that may be given again when a run is resumed; everything else is in its `config.json`. */
const resumable = new Set([
  "resume",
  "resumeStep",
  "data",
  "steps",
  "epochs",
  "checkpointEvery",
  "json",
  "quiet",
  "debug",
]);

/** Prepares the run in `--resume DIR`, at its newest checkpoint or that of `--resume-step`. */
export async function resumeRun(
  options: TrainCommandOptions,
  given: ReadonlySet<string>,
): Promise<RunPreparation> {
  const path = options.resume ?? "";
  for (const name of given) {
    if (resumable.has(name)) continue;
    throw badOption(
      optionName(name),
      "cannot change when a run continues",
      `--resume ${path}`,
      "Only --steps, --epochs, --data (moved files) and --checkpoint-every may be given again.",
    );
  }
  const { folder, config } = await RunFolder.existing(path);
  const raw = overridden(config.options as unknown as RawTrainOptions, options, given);
  const plan = readTrainOptions(raw);
  const record =
    config.preprocessing === undefined
      ? undefined
      : readPreprocessing(JSON.stringify(config.preprocessing), folder.file("config.json"));
  const loaded = await loadData(withRecord(plan.data, record));
  const digest = await fingerprint(loaded);
  if (digest !== config.data) {
    throw new EspalierError("FORMAT", {
      thing: `data "${raw.data}"`,
      rule: `must be the data that the run began with, of SHA-256 ${config.data?.slice(0, 12)}…`,
      received: `${digest.slice(0, 12)}…`,
      remedy: "Restore them (--data gives their new path), or start a new run.",
    });
  }
  const wanted =
    options.resumeStep === undefined ? undefined : wholeNumber("--resume-step", options.resumeStep, 0);
  const from = wanted === undefined ? {} : { step: wanted };
  let resumed = await resumedTrainer(folder, from);
  const common = {
    raw,
    plan,
    folder,
    config: { ...config, options: { ...absolute(raw) } },
  };
  if (resumed === undefined) {
    // The run stopped before its first checkpoint was complete.
    const network = plan.model === undefined ? undefined : (await openTrainable(plan.model)).model;
    return {
      ...common,
      ...(await freshTrainer(plan, loaded, network)),
      past: undefined,
      metricsText: "",
    };
  }
  const data = fitData(loaded, resumed.model, resumed.settings.sizes);
  const steps = plan.steps(updatesPerEpoch(resumed.model, data.train, resumed.settings));
  if (resumed.step > steps) {
    await resumed.dispose();
    throw badOption(
      given.has("epochs") ? "--epochs" : "--steps",
      `must come to at least the ${resumed.step} steps that are done`,
      steps,
      "Give more, or an older checkpoint with --resume-step.",
    );
  }
  const longer = prolonged(resumed.settings.optimizer.learningRate, resumed.step, steps);
  if (longer !== undefined) {
    await resumed.dispose();
    resumed = await Trainer.resume(folder.file(checkpointsName), { ...from, learningRate: longer.schedule });
  }
  const undone = (resumed.progress.controller?.decisions ?? []).filter(({ action }) => action === "undo");
  const history = readMetrics(
    (await folder.read(metricsName)) ?? "",
    { step: resumed.step, undone: undone.length },
    folder.file(metricsName),
  );
  const past: RunPast = { ...history, best: await bestState(folder, resumed.progress.flops) };
  return {
    ...common,
    data,
    steps,
    trainer: resumed,
    notes: [...resumed.notes, ...(longer === undefined ? [] : [longer.note])],
    past,
    metricsText: history.text,
  };
}

/** A trainer of the network that the options describe or name, and the data in the shape that it takes. */
async function freshTrainer(
  plan: TrainPlan,
  loaded: TrainingData,
  network: Model | undefined,
): Promise<Pick<RunPreparation, "trainer" | "data" | "steps" | "notes">> {
  const { model, data, task } = networkFor(plan, loaded, network);
  const options: TrainerOptions = {
    ...taskOf(task),
    batchSize: plan.batch,
    seed: plan.seed,
    threads: plan.threads,
    newborn: plan.newborn,
    ...plan.parameters,
    ...(plan.clipNorm === undefined ? {} : { clipNorm: plan.clipNorm }),
  };
  const steps = plan.steps(updatesPerEpoch(model, data.train, checkOptions(options, model)));
  const trainer = await Trainer.create(model, { ...options, optimizer: plan.optimizer(steps) });
  // A network that does not fit the data is refused here, before the folder is created.
  await trainer.evaluate(data.test);
  // So are batches that cannot be trained on.
  trainer.nextStepFlops(data.train);
  return { trainer, data, steps, notes: [...(data.train.notes ?? []), ...task.notes] };
}

/** The network that the options describe or name, the data in the shape that it takes, and what it is trained for. */
function networkFor(plan: TrainPlan, loaded: TrainingData, network: Model | undefined) {
  const classWeights = plan.classWeights?.(loaded.train);
  const weights = classWeights === undefined ? {} : { classWeights };
  if (network === undefined) {
    const loss = lossFor(loaded.train, plan.loss);
    const model = buildNetwork(plan.network, loaded.train, loss);
    return { model, data: fitData(loaded, model), task: { loss, ...weights, notes: [] } };
  }
  const told = plan.sizes === undefined ? undefined : parseSizes(plan.sizes, network);
  const data = fitData(loaded, network, told);
  const wanted = {
    loss: plan.loss,
    ...plan.task,
    ...weights,
    ...(told === undefined ? {} : { sizes: told }),
  };
  return { model: network, data, task: modelTask(network, data.train, wanted) };
}

async function resumedTrainer(folder: RunFolder, options: ResumeOptions): Promise<Trainer | undefined> {
  try {
    return await Trainer.resume(folder.file(checkpointsName), options);
  } catch (error) {
    const missing = error instanceof EspalierError && error.code === "CHECKPOINT_MISSING";
    if (!missing || options.step !== undefined) throw error;
    await refuseOrphans(folder);
    return undefined;
  }
}

/** Starting over would remove checkpoints that only lack their manifest. One at step 0 is no loss. */
async function refuseOrphans(folder: RunFolder): Promise<void> {
  const path = folder.file(checkpointsName);
  const orphans = (await platform.listFolder(path)).filter((name) =>
    /^step-0*[1-9]\d*-.*\.safetensors$/.test(name),
  );
  if (orphans.length === 0) return;
  throw new EspalierError("CHECKPOINT_CORRUPT", {
    thing: `${path}/manifest.json`,
    rule: "must list the checkpoints next to it, but is missing",
    received: orphans,
    remedy:
      "Restore it. To start over instead, move the checkpoints away; Trainer.resume reads the bytes of each.",
  });
}

/**
 * The best state so far. One with more FLOPs than the checkpoint cannot be used, but it will be reached again, since
 * the run repeats itself bit for bit.
 */
async function bestState(folder: RunFolder, flops: number): Promise<RunPast["best"]> {
  if (!(await folder.names()).includes(bestName)) return undefined;
  const trainer = await Trainer.resume(folder.file(bestName));
  try {
    return trainer.progress.flops <= flops ? trainer.state() : undefined;
  } finally {
    await trainer.dispose();
  }
}

function overridden(
  stored: RawTrainOptions,
  options: TrainCommandOptions,
  given: ReadonlySet<string>,
): RawTrainOptions {
  const { steps: _, epochs: __, ...others } = stored;
  const base: RawTrainOptions = given.has("steps") || given.has("epochs") ? others : stored;
  const changes = Object.entries(rawOptions(options)).filter(([name]) => given.has(name));
  return { ...base, ...Object.fromEntries(changes) };
}

/** Replaces the file name of `--grow` by the policy itself, so that the run keeps the one it began with. */
async function withPolicy(raw: RawTrainOptions): Promise<RawTrainOptions> {
  const { grow: path } = raw;
  if (path === undefined) return raw;
  const grow = new TextDecoder().decode(await platform.readFile(path)).trim();
  try {
    policyOption({ grow }, undefined);
  } catch (error) {
    throw inFile(error, path);
  }
  return { ...raw, grow };
}

/** The same options with absolute paths, so that they mean the same in any folder. */
function absolute(raw: RawTrainOptions): RawTrainOptions {
  return {
    ...raw,
    data: absoluteData(raw.data),
    ...(raw.model === undefined ? {} : { model: resolve(raw.model) }),
  };
}

/** Without the options that say where and how to print, which are not part of a run. */
function rawOptions(options: TrainCommandOptions): RawTrainOptions {
  const { out: _, resume: __, resumeStep: ___, json: ____, quiet: _____, ...raw } = options;
  const { debug: ______, ...kept } = raw as RawTrainOptions & { readonly debug?: boolean };
  return kept;
}
