import { decodeSafetensors, encodeSafetensors } from "../formats/safetensors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../training/history/checkpoint.ts";
import type { TrainerState } from "../training/history/state.ts";
import type { TrainerSettings } from "../training/settings/options.ts";
import type { CurvePoint } from "./statistics/curve.ts";

/** An unfinished job: everything that it needs to continue, which must be written and read together. */
export interface PartialRun {
  readonly checkpoint: Uint8Array;
  /** The state with the best validation loss so far. */
  readonly best: TrainerState | undefined;
  /** Of training and growing up to the checkpoint. */
  readonly seconds: number;
  /** Evaluations so far, including those of stretches that were rolled back. */
  readonly curve: readonly CurvePoint[];
}

/** One safetensors file with both checkpoints and the curve. */
export async function encodePartial(
  run: PartialRun & { readonly settings: TrainerSettings },
): Promise<Uint8Array> {
  const { checkpoint, best: state, settings, seconds, curve } = run;
  const tensors = new Map([["checkpoint", bytesTensor(checkpoint)]]);
  if (state !== undefined) tensors.set("best", bytesTensor(await encodeCheckpoint({ settings, state })));
  return encodeSafetensors(tensors, new Map([["past", JSON.stringify({ seconds, curve })]]));
}

/** Throws `FORMAT` or `CHECKPOINT_CORRUPT` for bytes that {@link encodePartial} did not write. */
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
