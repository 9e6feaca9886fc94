import { checkOptionNames, type OptionNames } from "../../tensor/known-options.ts";
import type { Loss } from "../losses/loss.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import { type Schedule, scheduleOf } from "../schedules/index.ts";
import { type MetricChoice, metricsOfTerms } from "../settings/term-metrics.ts";
import { type Checkpoint, decodeCheckpoint } from "./checkpoint.ts";
import { readCheckpoint } from "./checkpoint-folder.ts";

/** How to resume from a checkpoint. */
export interface ResumeOptions {
  /** An older checkpoint of a folder. Default: the newest. */
  readonly step?: number;
  readonly metrics?: MetricChoice;
  readonly threads?: number;
  /**
   * Replaces the one that the checkpoint names: needed if that is not in the table, else used to change its options. Must
   * have the same name and state.
   */
  readonly optimizer?: Optimizer;
  /** The loss that the checkpoint names, if it is not in the table; of several losses, those that are not. */
  readonly loss?: Loss | readonly Loss[];
  /** Replaces the optimizer's, e.g. after a cosine that is finished. */
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
 * A checkpoint from a folder (`step` picks an older one) or from bytes, to resume from with this many threads. Throws
 * `CHECKPOINT_MISSING` or `CHECKPOINT_CORRUPT`, and `ARGUMENT` for an optimizer that is missing or does not match.
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
  metricsOfTerms(settings, options.metrics);
  const { optimizer } = settings;
  const rate = learningRate === undefined ? optimizer.learningRate : scheduleOf(learningRate);
  return { settings: { ...settings, session, optimizer: { ...optimizer, learningRate: rate } }, state };
}
