import { type Schedule, scheduleOf } from "../optimizers/schedule.ts";
import type { Metric } from "../settings/metric.ts";
import { type Checkpoint, decodeCheckpoint } from "./checkpoint.ts";
import { readCheckpoint } from "./checkpoint-folder.ts";

/** How to go on from a checkpoint. */
export interface ResumeOptions {
  /** An older checkpoint of a folder. Default: the newest. */
  readonly step?: number;
  readonly metrics?: readonly Metric[];
  readonly threads?: number;
  /** In the place of the one that the checkpoint holds, e.g. after a cosine that is finished. */
  readonly learningRate?: number | Schedule;
}

/**
 * A checkpoint out of a folder (`step` picks an older one of it) or of bytes, to go on from with so many threads. Throws
 * `CHECKPOINT_MISSING` or `CHECKPOINT_CORRUPT`.
 */
export async function openCheckpoint(
  source: string | Uint8Array,
  { step, threads, learningRate }: ResumeOptions,
): Promise<Checkpoint> {
  const { path, bytes } =
    typeof source === "string" ? await readCheckpoint(source, step) : { path: undefined, bytes: source };
  const { settings, state } = await decodeCheckpoint(bytes, path);
  const session = { ...settings.session, ...(threads === undefined ? {} : { threads }) };
  const { optimizer } = settings;
  const rate = learningRate === undefined ? optimizer.learningRate : scheduleOf(learningRate);
  return { settings: { ...settings, session, optimizer: { ...optimizer, learningRate: rate } }, state };
}
