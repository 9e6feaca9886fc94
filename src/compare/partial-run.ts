import { decodeSafetensors, encodeSafetensors } from "../formats/safetensors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../training/history/checkpoint.ts";
import type { TrainerState } from "../training/history/state.ts";
import type { TrainerSettings } from "../training/settings/options.ts";
import type { CurvePoint } from "./statistics/curve.ts";

/** A job that is not done: all that it needs to go on, which must be written and read together. */
export interface PartialRun {
  readonly checkpoint: Uint8Array;
  /** With the best validation loss so far. */
  readonly best: TrainerState | undefined;
  /** Of training and growing up to the checkpoint. */
  readonly seconds: number;
  /** Evaluations so far, those of stretches that were rolled back included. */
  readonly curve: readonly CurvePoint[];
}

/** One safetensors file with two checkpoints and the curve. */
export async function encodePartial(
  run: PartialRun & { readonly settings: TrainerSettings },
): Promise<Uint8Array> {
  const { checkpoint, best: state, settings, seconds, curve } = run;
  const tensors = new Map([["checkpoint", bytesTensor(checkpoint)]]);
  if (state !== undefined) tensors.set("best", bytesTensor(await encodeCheckpoint({ settings, state })));
  return encodeSafetensors(tensors, new Map([["past", JSON.stringify({ seconds, curve })]]));
}

/** Throws `FORMAT` or `CHECKPOINT_CORRUPT` for bytes that are not what {@link encodePartial} wrote. */
export async function decodePartial(bytes: Uint8Array): Promise<PartialRun> {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const read = (name: string) => tensors.get(name)?.data as Uint8Array | undefined;
  const best = read("best");
  return {
    checkpoint: read("checkpoint") as Uint8Array,
    best: best === undefined ? undefined : (await decodeCheckpoint(best)).state,
    ...JSON.parse(metadata.get("past") ?? '{"seconds":0,"curve":[]}'),
  };
}

const bytesTensor = (data: Uint8Array): Tensor => ({ dtype: "uint8", dims: [data.length], data });
