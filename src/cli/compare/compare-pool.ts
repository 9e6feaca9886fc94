import { type ChildProcess, fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Job, JobResult } from "../../compare/job.ts";
import { jobStore, readResult } from "./compare-folder.ts";
import type { FromWorker, ToWorker } from "./compare-messages.ts";

export interface WorkerPoolOptions {
  /** Folder of finished and half-finished jobs. */
  readonly jobs: string;
  readonly dataFolder: string;
  /** Number of worker processes. */
  readonly workers: number;
  /** How often a job is started before it counts as failed, if its worker keeps dying. Default 3. */
  readonly attempts?: number;
  readonly signal: AbortSignal;
  /** Seconds between two checkpoints of a job. Default 20. */
  readonly saveSeconds?: number;
  /** The worker's script. Default: the one next to this file. */
  readonly worker?: string;
  readonly events?: PoolEvents;
}

export interface PoolEvents {
  /** A job has reached a fraction of its steps; 1 when it is done, or was done before. */
  readonly progress?: (key: string, share: number) => void;
  readonly started?: (key: string, worker: ChildProcess) => void;
  /** A worker died during a job, which is restarted from its last checkpoint. */
  readonly retry?: (key: string, reason: string) => void;
}

/** The outcome of a job: its result, or why there is none. */
export type JobOutcome = { readonly result: JobResult } | { readonly failure: string };

/**
 * Runs jobs, by key, in order, in worker processes of one thread each; those with a result in the store are not run
 * again. Returns undefined if the signal came before all were done: the workers have then saved their state.
 */
export async function runJobs(
  jobs: ReadonlyMap<string, Job>,
  options: WorkerPoolOptions,
): Promise<ReadonlyMap<string, JobOutcome> | undefined> {
  const { signal, workers, events = {} } = options;
  const store = jobStore(options.jobs);
  const outcomes = new Map<string, JobOutcome>();
  const waiting: string[] = [];
  for (const key of jobs.keys()) {
    const result = await readResult(store, key);
    if (result === undefined) waiting.push(key);
    else {
      outcomes.set(key, { result });
      events.progress?.(key, 1);
    }
  }
  const lane = async () => {
    const worker = new Worker(options);
    for (let key = waiting.shift(); key !== undefined && !signal.aborted; key = waiting.shift()) {
      const outcome = await attempt(key, jobs.get(key) as Job, worker, options);
      if (outcome === undefined) break;
      outcomes.set(key, outcome);
      events.progress?.(key, 1);
    }
    worker.end();
  };
  await Promise.all(Array.from({ length: Math.min(workers, waiting.length) }, lane));
  return outcomes.size < jobs.size ? undefined : outcomes;
}

/** Runs a job until it is done, has failed, or its workers have died too often; undefined if it was stopped. */
async function attempt(
  key: string,
  job: Job,
  worker: Worker,
  { attempts = 3, jobs, signal, events = {} }: WorkerPoolOptions,
): Promise<JobOutcome | undefined> {
  const store = jobStore(jobs);
  for (let tried = 1; ; tried++) {
    const end = await worker.run(key, job);
    // A worker that died right after writing the result has done its work.
    const result = await readResult(store, key);
    if (result !== undefined) return { result };
    if (signal.aborted || end.kind === "stopped") return undefined;
    if (end.kind === "failed") return { failure: end.message };
    const reason = end.kind === "died" ? end.reason : "the worker left no result";
    if (tried >= attempts) return { failure: `${reason}, ${tried} times` };
    events.retry?.(key, reason);
  }
}

type JobEnd = FromWorker | { readonly kind: "died"; readonly reason: string };

/** One worker process at a time; after it has died, the next job starts another. */
class Worker {
  readonly #options: WorkerPoolOptions;
  #child: ChildProcess | undefined;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  run(key: string, job: Job): Promise<JobEnd> {
    const { signal, events } = this.#options;
    this.#child ??= this.#start();
    const child = this.#child;
    const stop = () => send(child, { kind: "stop" });
    return new Promise<JobEnd>((resolve) => {
      const onMessage = (message: FromWorker) => {
        if (message.kind === "progress") events?.progress?.(key, message.share);
        else end(message);
      };
      const onExit = (code: number | null, by: string | null) => {
        this.#child = undefined;
        end({ kind: "died", reason: `the worker died (${by ?? `exit code ${code}`})` });
      };
      const end = (how: JobEnd) => {
        child.off("message", onMessage);
        child.off("exit", onExit);
        signal.removeEventListener("abort", stop);
        resolve(how);
      };
      child.on("message", onMessage);
      child.on("exit", onExit);
      signal.addEventListener("abort", stop);
      send(child, { kind: "run", job });
      events?.started?.(key, child);
      if (signal.aborted) stop();
    });
  }

  end(): void {
    if (this.#child?.connected) this.#child.disconnect();
  }

  #start(): ChildProcess {
    const { jobs: folder, dataFolder, saveSeconds = 20, worker = ownWorker() } = this.#options;
    return fork(worker, [folder, dataFolder, String(saveSeconds)], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
  }
}

function send(child: ChildProcess, message: ToWorker): void {
  // A dying child cannot be sent messages; its exit is reported separately.
  if (child.connected) child.send(message, () => {});
}

function ownWorker(): string {
  return fileURLToPath(new URL(`./compare-worker${extname(import.meta.url)}`, import.meta.url));
}
