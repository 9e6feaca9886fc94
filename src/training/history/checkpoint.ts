import { decodeModel, encodeModel } from "../../formats/onnx/index.ts";
import { decodeSafetensors, encodeSafetensors } from "../../formats/safetensors.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { isInModel, type LossChoice } from "../losses/index.ts";
import type { Births } from "../optimizers/ages.ts";
import { type Optimizer, slotsOf } from "../optimizers/optimizer.ts";
import type { TrainerSettings } from "../settings/options.ts";
import { lossAgain, type Own, optimizerAgain, termsAgain } from "./own-records.ts";
import { noProgress, type Progress, type TrainerState } from "./state.ts";

/** Version of a checkpoint's contents; raised whenever an older reader would misread them. */
const version = "2";
/** That of a run of several losses, which no reader before them understands. */
const versionOfSeveral = "3";
/** Versions that can be read. In version 1 a restart made all entries newly born, and nothing else used their births. */
const readable = ["1", version, versionOfSeveral];
const noDigest = "0".repeat(64);

/** A checkpoint, read back. */
export interface Checkpoint {
  readonly settings: TrainerSettings;
  readonly state: TrainerState;
}

/**
 * One safetensors file: the model as ONNX bytes, the optimizer's tensors and births, and settings and progress as
 * JSON; during a trial also the state to return to, as another such file. It carries its own SHA-256 (computed with zeros in
 * the digest's place).
 */
export async function encodeCheckpoint({ settings, state }: Checkpoint): Promise<Uint8Array> {
  const tensors = new Map<string, Tensor>();
  const model = encodeModel(state.model);
  tensors.set("model", { dtype: "uint8", dims: [model.length], data: model });
  for (const [name, slots] of state.learner.slots) {
    slots.forEach((tensor, index) => {
      tensors.set(
        `optimizer/${slotsOf(settings.optimizer, tensor.dims.length)[index]?.name}/${name}`,
        tensor,
      );
    });
  }
  for (const [name, axes] of state.learner.births) {
    axes.forEach((births, axis) => {
      tensors.set(`births/${axis}/${name}`, { dtype: "int32", dims: [births.length], data: births });
    });
  }
  const { optimizer, loss, losses, ...others } = settings;
  const plain = {
    ...others,
    loss: storedLoss(loss),
    losses: losses?.map((term) => ({ ...term, loss: storedLoss(term.loss) })),
    optimizer: { name: optimizer.name, options: optimizer.options, learningRate: optimizer.learningRate },
  };
  if (state.kept !== undefined) {
    const kept = await encodeCheckpoint({ settings, state: state.kept });
    tensors.set("kept", { dtype: "uint8", dims: [kept.length], data: kept });
  }
  const metadata = new Map([
    ["espalier", losses === undefined ? version : versionOfSeveral],
    ["sha256", noDigest],
    ["settings", JSON.stringify(plain)],
    ["progress", JSON.stringify(state.progress)],
    ["restart", String(state.learner.restart)],
    ["variables", JSON.stringify([...state.learner.variables.keys()])],
  ]);
  const bytes = encodeSafetensors(tensors, metadata);
  bytes.set(new TextEncoder().encode(await sha256(bytes)), digestAt(bytes));
  return bytes;
}

/**
 * Throws `CHECKPOINT_CORRUPT` for bytes that are not a whole checkpoint, and `ARGUMENT` if it names an
 * optimizer or a loss that is neither in our tables nor among `own`.
 */
export async function decodeCheckpoint(
  bytes: Uint8Array,
  thing = "checkpoint",
  own: Own = {},
): Promise<Checkpoint> {
  const corrupt = (rule: string, cause?: unknown) =>
    new EspalierError("CHECKPOINT_CORRUPT", { thing, rule, ...(cause === undefined ? {} : { cause }) });
  const at = digestAt(bytes);
  if (at < 0) throw corrupt("must be a checkpoint that espalier wrote");
  const blank = bytes.slice();
  blank.fill(48, at, at + 64);
  const digest = new TextDecoder().decode(bytes.subarray(at, at + 64));
  if ((await sha256(blank)) !== digest)
    throw corrupt("its contents do not match their SHA-256; it is damaged or half-written");
  try {
    return await read(bytes, own);
  } catch (cause) {
    if (cause instanceof EspalierError && cause.code === "ARGUMENT") throw cause;
    throw corrupt(`cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

async function read(bytes: Uint8Array, own: Own): Promise<Checkpoint> {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const text = (key: string) => metadata.get(key) ?? "null";
  if (!readable.includes(text("espalier"))) {
    throw new EspalierError("CHECKPOINT_CORRUPT", {
      thing: "checkpoint version",
      rule: `must be ${readable.join(" or ")}`,
      received: metadata.get("espalier"),
      remedy: "Resume it with the espalier that wrote it.",
    });
  }
  const { optimizer: plain, loss, losses, ...others } = JSON.parse(text("settings"));
  const optimizer = optimizerAgain(plain, own.optimizer);
  const settings: TrainerSettings = {
    ...others,
    frozen: others.frozen ?? [],
    newborn: others.newborn,
    ...(losses === undefined
      ? { loss: lossAgain(loss, own.loss) }
      : { losses: termsAgain(losses, own.loss) }),
    optimizer,
  };
  const model = decodeModel((tensors.get("model") as Tensor<"uint8">).data);
  const slots = new Map<string, Tensor[]>();
  const births = new Map<string, Int32Array[]>();
  for (const [key, tensor] of tensors) {
    const [kind, which, ...rest] = key.split("/");
    const name = rest.join("/");
    if (kind === "optimizer") {
      const list = slots.get(name) ?? [];
      const at = slotsOf(optimizer, tensor.dims.length).findIndex((slot) => slot.name === which);
      if (at < 0) throw otherState(optimizer, which as string);
      list[at] = tensor;
      slots.set(name, list);
    } else if (kind === "births") {
      const axes = births.get(name) ?? [];
      axes[Number(which)] = tensor.data as Int32Array;
      births.set(name, axes);
    }
  }
  for (const [name, axes] of births) {
    const own = slots.get(name) ?? [];
    const missing = slotsOf(optimizer, axes.length).find((_, at) => own[at] === undefined);
    if (missing !== undefined) throw otherState(optimizer, `no ${missing.name} of ${name}`);
    slots.set(name, own);
  }
  const variables = new Map(
    (JSON.parse(text("variables")) as string[]).map((name) => [
      name,
      model.graph.parameters.get(name) as Tensor,
    ]),
  );
  const stored = JSON.parse(text("progress"));
  // Before there was a controller, all FLOPs went into training.
  const spent = { ...noProgress.spent, training: stored.flops };
  const progress: Progress = { ...noProgress, spent, ...stored };
  const restart = Number(metadata.get("restart") ?? 0);
  const learner = { variables, slots, births: births as Map<string, Births>, restart };
  const kept = tensors.get("kept") as Tensor<"uint8"> | undefined;
  if (kept === undefined) return { settings, state: { model, learner, progress } };
  const { state } = await decodeCheckpoint(kept.data.slice(), "checkpoint", own);
  return { settings, state: { model, learner, progress, kept: state } };
}

/** A record is stored as its name and options; a loss's name, or that of an output, as it is. */
function storedLoss(loss: LossChoice | undefined) {
  return typeof loss === "object" && !isInModel(loss) ? { name: loss.name, options: loss.options } : loss;
}

/** For a record of the right name with a different state. */
function otherState({ name, slots }: Optimizer, stored: string): EspalierError {
  return new EspalierError("ARGUMENT", {
    thing: `optimizer "${name}"`,
    rule: "must keep the state that its checkpoint contains",
    received: { checkpoint: stored, slots: slots.map((slot) => slot.name) },
    remedy: "Give the options of the run that trained it.",
  });
}

/** The offset of the digest's 64 hexadecimal digits: in the header's metadata, which comes first. */
function digestAt(bytes: Uint8Array): number {
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, Math.min(bytes.length, 65_536)));
  const key = '"sha256":"';
  const at = head.indexOf(key);
  return at < 0 || at + key.length + 64 > head.length ? -1 : at + key.length;
}

export async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
