import { decodeSafetensors, encodeSafetensors } from "../formats/safetensors.ts";
import type { RunPoint } from "../report/run-record.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../training/checkpoint.ts";
import type { TrainerSettings } from "../training/options.ts";
import type { TrainerState } from "../training/trainer.ts";

/** A job that is not done: all that it needs to go on, which must be written and read together. */
export interface PartialRun {
  readonly checkpoint: Uint8Array;
  /** With the best validation loss so far. */
  readonly best: TrainerState | undefined;
  /** Up to the checkpoint's step. */
  readonly points: readonly RunPoint[];
}

/** One safetensors file with two checkpoints and the points. */
export async function encodePartial(
  run: PartialRun & { readonly settings: TrainerSettings },
): Promise<Uint8Array> {
  const { checkpoint, best: state, settings, points } = run;
  const tensors = new Map([["checkpoint", bytesTensor(checkpoint)]]);
  if (state !== undefined) tensors.set("best", bytesTensor(await encodeCheckpoint({ settings, state })));
  return encodeSafetensors(tensors, new Map([["points", JSON.stringify(points)]]));
}

/** Throws `FORMAT` or `CHECKPOINT_CORRUPT` for bytes that are not what {@link encodePartial} wrote. */
export async function decodePartial(bytes: Uint8Array): Promise<PartialRun> {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const read = (name: string) => tensors.get(name)?.data as Uint8Array | undefined;
  const best = read("best");
  return {
    checkpoint: read("checkpoint") as Uint8Array,
    best: best === undefined ? undefined : (await decodeCheckpoint(best)).state,
    points: JSON.parse(metadata.get("points") ?? "[]"),
  };
}

const bytesTensor = (data: Uint8Array): Tensor => ({ dtype: "uint8", dims: [data.length], data });
