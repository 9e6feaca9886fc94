import { loadModel } from "../models/model-file.ts";
import { Recorder, type RecorderOptions } from "../report/record/recorder.ts";
import type { RunPoint } from "../report/record/run-record.ts";
import { EspalierError } from "../tensor/errors.ts";
import { optimizerOf } from "../training/optimizers/index.ts";
import { cosineRate, type Schedule } from "../training/optimizers/schedule.ts";
import { StoppingWatch } from "../training/policy/early-stopping.ts";
import { Trainer, type TrainerState } from "../training/trainer/trainer.ts";
import type { Job, JobResult } from "./job.ts";
import { jobKey } from "./job.ts";
import { decodePartial, encodePartial, type PartialRun } from "./partial-run.ts";
import type { CurvePoint } from "./statistics/curve.ts";
import type { TaskData, TaskParts } from "./task-data.ts";
import { taskNetwork } from "./task-network.ts";

/** Named files of one comparison; a file is replaced in one step. */
export interface JobStore {
  /** Undefined where there is none. */
  readonly read: (name: string) => Promise<Uint8Array | undefined>;
  readonly write: (name: string, bytes: Uint8Array) => Promise<void>;
  readonly remove: (name: string) => Promise<void>;
}

export interface JobContext {
  readonly data: TaskData;
  readonly store: JobStore;
  readonly signal?: AbortSignal;
  /** Share of the job's steps that are done. */
  readonly progress?: (share: number) => void;
  /** Seconds between two checkpoints. Default 20. */
  readonly saveSeconds?: number;
}

export const modelFile = (key: string) => `${key}.onnx`;
const partialFile = (key: string) => `${key}.partial`;

/**
 * Trains what a job says, or goes on where an earlier attempt saved. Returns undefined where `signal` stopped it, and has
 * saved then. A loss that is not finite ends the run; what came before counts. The network with the best validation loss
 * is left in the store where another job goes on with it. Throws what building, training and growing throw.
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

/** A job under way. */
class JobRun {
  readonly #job: Job;
  readonly #key: string;
  readonly #parts: TaskParts;
  readonly #context: JobContext;
  readonly #trainer: Trainer;
  readonly #recorder: Recorder;
  readonly #watch: StoppingWatch;
  /** Every evaluation, those of stretches that were rolled back included: they were paid for. */
  readonly #curve: CurvePoint[];
  #best: TrainerState | undefined;
  #saved = performance.now();

  private constructor(
    job: Job,
    key: string,
    parts: TaskParts,
    context: JobContext,
    trainer: Trainer,
    past: Pick<PartialRun, "points" | "curve" | "best">,
  ) {
    this.#job = job;
    this.#key = key;
    this.#parts = parts;
    this.#context = context;
    this.#trainer = trainer;
    this.#best = past.best;
    this.#watch = new StoppingWatch({ patience: job.budget.patience ?? Number.POSITIVE_INFINITY }, "lower");
    this.#curve = [...past.curve];
    for (const { step, loss } of past.curve) this.#watch.see(step, loss);
    const { steps } = runLength(job);
    const { evaluateEvery } = job.budget;
    this.#recorder = new Recorder(trainer, parts.train, {
      name: key,
      steps,
      test: parts.validation,
      evaluateEvery,
      pointEvery: evaluateEvery,
      diagnoseEvery: steps,
      ...(job.growth === undefined ? {} : { growth: job.growth as NonNullable<RecorderOptions["growth"]> }),
      events: { point: (point) => this.#see(point) },
      past: { points: past.points, diagnoses: [] },
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
      loss: task.loss,
      batchSize: task.batch === "full" ? parts.train.count : task.batch,
      seed,
      ...(job.newborn === undefined ? {} : { newborn: job.newborn }),
      optimizer: optimizerOf(job.optimizer.name, job.optimizer.options, scheduleOf(job)),
    });
    return new JobRun(job, key, parts, context, trainer, { best: undefined, points: [], curve: [] });
  }

  /** Undefined where the signal stopped it. */
  async train(): Promise<JobResult["endedBy"] | undefined> {
    const { signal, progress, saveSeconds = 20 } = this.#context;
    const { flops = Number.POSITIVE_INFINITY, evaluateEvery } = this.#job.budget;
    const { steps } = runLength(this.#job);
    try {
      for (;;) {
        // The pieces end at evaluations, where every point has been written down.
        const next = (Math.floor(this.#trainer.step / evaluateEvery) + 1) * evaluateEvery;
        const status = await this.#recorder.advance(next, signal);
        progress?.(this.#trainer.step / steps);
        if (status === "complete") return "steps";
        if (status === "signal") {
          await this.#save();
          return undefined;
        }
        // A budget of the arm's growth policy.
        if (status !== "paused") return "flops";
        if (this.#watch.exhausted) return "patience";
        if (this.#trainer.progress.flops >= flops) return "flops";
        if (performance.now() - this.#saved > 1000 * saveSeconds) await this.#save();
      }
    } catch (error) {
      if (error instanceof EspalierError && error.code === "DIVERGED") return "divergence";
      throw error;
    }
  }

  async finish(endedBy: JobResult["endedBy"]): Promise<JobResult> {
    const { store } = this.#context;
    const trainer = this.#trainer;
    const widths = this.#recorder.points.at(-1)?.widths ?? {};
    const { parameterCount: parameters, growths } = trainer;
    const { test } = this.#parts;
    let tested: JobResult["test"];
    if (this.#best !== undefined) {
      await trainer.restoreWeights(this.#best);
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

  #see({ step, flops, seconds, test }: RunPoint): void {
    if (test === undefined) return;
    this.#curve.push({ step, flops, seconds, loss: test.loss });
    if (this.#watch.see(step, test.loss)) this.#best = this.#trainer.state();
  }

  async #save(): Promise<void> {
    await this.#recorder.flush();
    const partial = {
      checkpoint: await this.#trainer.checkpoint(),
      best: this.#best,
      settings: this.#trainer.settings,
      points: this.#recorder.points,
      curve: this.#curve,
    };
    await this.#context.store.write(partialFile(this.#key), await encodePartial(partial));
    this.#saved = performance.now();
  }
}

async function startingModel({ after, task, size, seed }: Job, { train }: TaskParts, store: JobStore) {
  if (after === undefined) return taskNetwork(task, size, train, seed);
  const name = modelFile(await jobKey(after));
  const bytes = await store.read(name);
  if (bytes !== undefined) return loadModel(bytes);
  throw new EspalierError("CHECKPOINT_MISSING", {
    thing: name,
    rule: "must hold the network of the first phase, which has to be trained before",
  });
}

/** Steps of the run: those of its schedule where that has its own. */
function runLength({ schedule, budget }: Job): { readonly steps: number } {
  return { steps: schedule.kind === "cosine" ? (schedule.steps ?? budget.steps) : budget.steps };
}

function scheduleOf(job: Job): Schedule {
  const { schedule, rate } = job;
  if (schedule.kind === "constant") return { kind: "constant", rate };
  const { warmup, hold = 0, final } = schedule;
  return cosineRate(rate, { ...runLength(job), warmup, hold, final: final * rate });
}
