import { loadModel } from "../models/model-file.ts";
import { EspalierError } from "../tensor/errors.ts";
import { lossNamed } from "../training/losses/index.ts";
import { metricNamed } from "../training/metrics/index.ts";
import { optimizerOf } from "../training/optimizers/index.ts";
import type { TrainerOptions } from "../training/settings/options.ts";
import { listen, TrainingLoop } from "../training/trainer/loop.ts";
import type { EvaluationEvent } from "../training/trainer/run-event.ts";
import { Trainer } from "../training/trainer/trainer.ts";
import type { Size, TaskConfig } from "./config.ts";
import type { Job, JobResult } from "./job.ts";
import { jobKey, runLength, scheduleOf } from "./job.ts";
import { decodePartial, encodePartial, type PartialRun } from "./partial-run.ts";
import type { CurvePoint } from "./statistics/curve.ts";
import type { TaskData, TaskParts } from "./task-data.ts";
import { taskNetwork } from "./task-network.ts";

/** Named files of one comparison; a file is replaced in one step. */
export interface JobStore {
  /** Undefined if there is no such file. */
  readonly read: (name: string) => Promise<Uint8Array | undefined>;
  readonly write: (name: string, bytes: Uint8Array) => Promise<void>;
  readonly remove: (name: string) => Promise<void>;
}

export interface JobContext {
  readonly data: TaskData;
  readonly store: JobStore;
  readonly signal?: AbortSignal;
  /** Fraction of the job's steps that are done. */
  readonly progress?: (share: number) => void;
  /** Seconds between two checkpoints. Default 20. */
  readonly saveSeconds?: number;
}

export const modelFile = (key: string) => `${key}.onnx`;
const partialFile = (key: string) => `${key}.partial`;

/**
 * Runs a job, or resumes it where an earlier attempt saved. Returns undefined if `signal` stopped it; its state is then
 * saved. A loss that is not finite ends the run; what came before counts. The network with the best validation loss
 * stays in the store if another job continues with it. Throws what building, training and growing throw.
 */
export async function runJob(job: Job, context: JobContext): Promise<JobResult | undefined> {
  const key = await jobKey(job);
  const parts = await context.data.parts(job.task, job.seed);
  const run = await JobRun.start(job, key, parts, context);
  try {
    const endedBy = await run.train();
    return endedBy === undefined ? undefined : await run.finish(endedBy);
  } finally {
    await run.dispose();
  }
}

/** A running job. */
class JobRun {
  readonly #job: Job;
  readonly #key: string;
  readonly #parts: TaskParts;
  readonly #context: JobContext;
  readonly #trainer: Trainer;
  readonly #loop: TrainingLoop;
  /** Every evaluation, including those of stretches that were rolled back: they were paid for. */
  readonly #curve: CurvePoint[];
  readonly #secondsBefore: number;
  #saved = performance.now();

  private constructor(
    job: Job,
    key: string,
    parts: TaskParts,
    context: JobContext,
    trainer: Trainer,
    past: Pick<PartialRun, "seconds" | "curve" | "best">,
  ) {
    this.#job = job;
    this.#key = key;
    this.#parts = parts;
    this.#context = context;
    this.#trainer = trainer;
    this.#curve = [...past.curve];
    this.#secondsBefore = past.seconds;
    const steps = runLength(job);
    const { evaluateEvery, patience = Number.POSITIVE_INFINITY } = job.budget;
    this.#loop = new TrainingLoop(trainer, parts.train, {
      complete: ({ step }) => step >= steps,
      steps,
      validation: parts.validation,
      evaluateEvery,
      evaluateEnds: true,
      earlyStopping: { patience },
      growth: job.growth,
      checkpointEvery: evaluateEvery,
      past: {
        scores: past.curve.map(({ step, loss }) => ({ step, validation: { loss } })),
        best: past.best,
      },
    });
  }

  static async start(job: Job, key: string, parts: TaskParts, context: JobContext): Promise<JobRun> {
    const saved = await context.store.read(partialFile(key));
    if (saved !== undefined) {
      const { checkpoint, ...past } = await decodePartial(saved);
      return new JobRun(job, key, parts, context, await Trainer.resume(checkpoint), past);
    }
    const { task, seed } = job;
    const trainer = await Trainer.create(await startingModel(job, parts, context.store), {
      ...trainingOf(task),
      batchSize: task.batch === "full" ? parts.train.count : task.batch,
      seed,
      ...(job.newborn === undefined ? {} : { newborn: job.newborn }),
      optimizer: optimizerOf(job.optimizer.name, job.optimizer.options, scheduleOf(job)),
    });
    return new JobRun(job, key, parts, context, trainer, { best: undefined, seconds: 0, curve: [] });
  }

  /** Undefined if the signal stopped it. */
  async train(): Promise<JobResult["endedBy"] | undefined> {
    const { flops = Number.POSITIVE_INFINITY } = this.#job.budget;
    const events = this.#loop.advance(undefined, this.#context.signal);
    let spent = false;
    try {
      const endedBy = await listen(events, async (event) => {
        if (event.kind === "evaluation") this.#see(event);
        if (event.kind !== "checkpoint" || event.step === 0) return;
        spent = this.#trainer.progress.flops >= flops;
        if (spent) await events.return("budget");
        else await this.#saveNowAndThen();
      });
      // "budget" is the arm's growth policy's.
      if (spent || endedBy === "budget") return "flops";
      if (endedBy === "steps") return "steps";
      if (endedBy === "early stopping") return "patience";
      await this.#save();
      return undefined;
    } catch (error) {
      if (error instanceof EspalierError && error.code === "DIVERGED") return "divergence";
      throw error;
    }
  }

  async finish(endedBy: JobResult["endedBy"]): Promise<JobResult> {
    const { store } = this.#context;
    const trainer = this.#trainer;
    const widths = Object.fromEntries(
      trainer.widths.filter(({ growable }) => growable).map(({ id, size }) => [id, size]),
    );
    const { parameterCount: parameters, growths } = trainer;
    const { test } = this.#parts;
    let tested: JobResult["test"];
    if (await this.#loop.takeBest()) {
      if (test !== undefined) {
        const { examples: _, ...scores } = await trainer.evaluate(test);
        tested = scores as NonNullable<JobResult["test"]>;
      }
      if (this.#job.keep) await store.write(modelFile(this.#key), trainer.toBytes());
    }
    await store.remove(partialFile(this.#key));
    return {
      job: this.#job,
      curve: this.#curve,
      endedBy,
      ...(tested === undefined ? {} : { test: tested }),
      widths,
      parameters,
      growths: growths.map(({ step, width, size }) => ({ step, width, from: size.before, to: size.after })),
    };
  }

  dispose(): Promise<void> {
    return this.#trainer.dispose();
  }

  get #seconds(): number {
    return this.#secondsBefore + this.#loop.seconds;
  }

  #see({ step, validation }: EvaluationEvent): void {
    const { loss = Number.NaN } = validation ?? {};
    this.#curve.push({ step, flops: this.#trainer.progress.flops, seconds: this.#seconds, loss });
    if (step > 0) this.#context.progress?.(step / runLength(this.#job));
  }

  async #saveNowAndThen(): Promise<void> {
    const { saveSeconds = 20 } = this.#context;
    if (performance.now() - this.#saved > 1000 * saveSeconds) await this.#save();
  }

  async #save(): Promise<void> {
    const partial = {
      checkpoint: await this.#trainer.checkpoint(),
      best: this.#loop.bestState,
      settings: this.#trainer.settings,
      seconds: this.#seconds,
      curve: this.#curve,
    };
    await this.#context.store.write(partialFile(this.#key), await encodePartial(partial));
    this.#saved = performance.now();
  }
}

/** Throws what evaluating a network of the task throws, such as metrics that do not go with the loss. */
export async function checkTask(
  task: TaskConfig,
  size: Size,
  { train, validation }: TaskParts,
): Promise<void> {
  const trainer = await Trainer.create(taskNetwork(task, size, train, 0), trainingOf(task));
  try {
    await trainer.evaluate(validation);
  } finally {
    await trainer.dispose();
  }
}

function trainingOf({ loss, metrics }: TaskConfig): Pick<TrainerOptions, "loss" | "metrics"> {
  return {
    loss: lossNamed(loss.name, loss.options),
    ...(metrics === undefined
      ? {}
      : { metrics: metrics.map(({ name, options }) => metricNamed(name, options)) }),
  };
}

async function startingModel({ after, task, size, seed }: Job, { train }: TaskParts, store: JobStore) {
  if (after === undefined) return taskNetwork(task, size, train, seed);
  const name = modelFile(await jobKey(after));
  const bytes = await store.read(name);
  if (bytes !== undefined) return loadModel(bytes);
  throw new EspalierError("CHECKPOINT_MISSING", {
    thing: name,
    rule: "must contain the network of the first phase, which has to be trained first",
  });
}
