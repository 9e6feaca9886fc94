import { checkOptionNames, type OptionNames } from "../../tensor/known-options.ts";
import type { Loss } from "../losses/loss.ts";
import type { Metric } from "../metrics/metric.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import { type Schedule, scheduleOf } from "../schedules/index.ts";
import { type Checkpoint, decodeCheckpoint } from "./checkpoint.ts";
import { readCheckpoint } from "./checkpoint-folder.ts";

/** How to go on from a checkpoint. */
export interface ResumeOptions {
  /** An older checkpoint of a folder. Default: the newest. */
  readonly step?: number;
  readonly metrics?: readonly Metric[];
  readonly threads?: number;
  /**
   * In the place of the one that the checkpoint names: needed if it is none of the table, else to change its options. Must
   * have the same name and state.
   */
  readonly optimizer?: Optimizer;
  /** The loss that the checkpoint names, if it is none of the table. */
  readonly loss?: Loss;
  /** In the place of the optimizer's, e.g. after a cosine that is finished. */
  readonly learningRate?: number | Schedule;
}

const resumeNames: OptionNames<ResumeOptions> = {
  step: true,
  metrics: true,
  threads: true,
  optimizer: true,
  loss: true,
  learningRate: true,
};

/**
 * A checkpoint out of a folder (`step` picks an older one of it) or of bytes, to go on from with so many threads. Throws
 * `CHECKPOINT_MISSING` or `CHECKPOINT_CORRUPT`, and `ARGUMENT` for an optimizer that is missing or another.
 */
export async function openCheckpoint(
  source: string | Uint8Array,
  options: ResumeOptions,
): Promise<Checkpoint> {
  checkOptionNames("Trainer.resume", options, resumeNames);
  const { step, threads, learningRate, ...own } = options;
  const { path, bytes } =
    typeof source === "string" ? await readCheckpoint(source, step) : { path: undefined, bytes: source };
  const { settings, state } = await decodeCheckpoint(bytes, path, own);
  const session = { ...settings.session, ...(threads === undefined ? {} : { threads }) };
  const { optimizer } = settings;
  const rate = learningRate === undefined ? optimizer.learningRate : scheduleOf(learningRate);
  return { settings: { ...settings, session, optimizer: { ...optimizer, learningRate: rate } }, state };
}
