import { platform } from "#platform";
import { EspalierError } from "../../tensor/errors.ts";
import { sha256 } from "./checkpoint.ts";

/** One complete checkpoint in a folder. */
interface Entry {
  readonly file: string;
  readonly step: number;
  readonly bytes: number;
  readonly sha256: string;
}

interface Manifest {
  readonly format: "espalier checkpoints";
  readonly version: 1;
  /** Oldest first. */
  readonly checkpoints: readonly Entry[];
}

const manifestName = "manifest.json";
const manifestPath = (folder: string) => `${folder}/${manifestName}`;

/** Complete checkpoints kept: the newest, and one to fall back on. */
const kept = 2;

/**
 * Adds a checkpoint to a folder and returns its path. The file is complete on disk before the manifest names it, and
 * older ones are deleted only after that: a crash at any moment leaves the last complete checkpoint readable.
 */
export async function addCheckpoint(folder: string, step: number, bytes: Uint8Array): Promise<string> {
  await platform.makeFolder(folder);
  const listed = (await platform.listFolder(folder)).includes(manifestName)
    ? (await readManifest(folder)).checkpoints
    : [];
  const digest = await sha256(bytes);
  // Named after its contents too: saving twice at one step must not overwrite what the manifest still names.
  const file = `step-${String(step).padStart(9, "0")}-${digest.slice(0, 8)}.safetensors`;
  const path = `${folder}/${file}`;
  await platform.writeFile(path, bytes);
  const entry: Entry = { file, step, bytes: bytes.length, sha256: digest };
  const all = [...listed.filter((other) => other.file !== file), entry];
  const manifest: Manifest = { format: "espalier checkpoints", version: 1, checkpoints: all.slice(-kept) };
  await platform.writeFile(
    manifestPath(folder),
    new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`),
  );
  const named = new Set(manifest.checkpoints.map((checkpoint) => checkpoint.file));
  // Without a manifest it is unknown whether a checkpoint was complete, so it stays.
  const known = listed.length > 0 ? leftover : unfinished;
  for (const name of await platform.listFolder(folder)) {
    if (known.test(name) && !named.has(name)) await platform.removeFile(`${folder}/${name}`);
  }
  return path;
}

/** What a crash leaves: temporary files, and checkpoints that no manifest names (yet, or any longer). */
const unfinished = /^(step-\d+-[0-9a-f]{8}\.safetensors|manifest\.json)\.[0-9a-f]{12}\.tmp$/;
const leftover =
  /^(step-\d+-[0-9a-f]{8}\.safetensors(\.[0-9a-f]{12}\.tmp)?|manifest\.json\.[0-9a-f]{12}\.tmp)$/;

/**
 * The newest checkpoint of a folder, or the newest complete one of `step` (a growth may be saved at the step at which
 * it happened). Throws `CHECKPOINT_MISSING` if there is none, and `CHECKPOINT_CORRUPT` if it is damaged, naming
 * the older complete one.
 */
export async function readCheckpoint(
  folder: string,
  step?: number,
): Promise<{ readonly path: string; readonly bytes: Uint8Array }> {
  if (!(await platform.listFolder(folder)).includes(manifestName)) {
    throw new EspalierError("CHECKPOINT_MISSING", {
      thing: folder,
      rule: "must contain checkpoints (a manifest.json and the files it names)",
      remedy: "Save one with trainer.saveCheckpoint(folder) first.",
    });
  }
  const { checkpoints } = await readManifest(folder);
  const candidates =
    step === undefined ? checkpoints.slice(-1) : checkpoints.filter((one) => one.step === step);
  const entry = candidates.at(-1);
  if (entry === undefined) {
    throw new EspalierError("CHECKPOINT_MISSING", {
      thing: folder,
      rule: `has checkpoints of steps ${checkpoints.map((candidate) => candidate.step).join(", ") || "none"}`,
      received: step,
    });
  }
  let problem = "";
  for (const candidate of [...candidates].reverse()) {
    const found = await check(folder, candidate);
    if (typeof found !== "string") return { path: `${folder}/${candidate.file}`, bytes: found };
    problem ||= found;
  }
  throw new EspalierError("CHECKPOINT_CORRUPT", {
    thing: `${folder}/${entry.file}`,
    rule: problem,
    remedy: await olderThan(folder, entry, checkpoints),
  });
}

/** The file's bytes if it is what the manifest says, else what is wrong with it. */
async function check(folder: string, entry: Entry): Promise<Uint8Array | string> {
  if (!(await platform.listFolder(folder)).includes(entry.file))
    return "the manifest names it, but it is missing";
  const bytes = await platform.readFile(`${folder}/${entry.file}`);
  if (bytes.length !== entry.bytes) return `must have ${entry.bytes} bytes, but has ${bytes.length}`;
  if ((await sha256(bytes)) !== entry.sha256) return "its contents do not match the manifest's SHA-256";
  return bytes;
}

async function olderThan(folder: string, bad: Entry, checkpoints: readonly Entry[]): Promise<string> {
  for (const entry of checkpoints.slice(0, checkpoints.indexOf(bad)).reverse()) {
    if (typeof (await check(folder, entry)) === "string") continue;
    return `The checkpoint of step ${entry.step} is complete: resume with { step: ${entry.step} } (command line: --resume-step ${entry.step}).`;
  }
  return "No older checkpoint in the folder is complete; start again.";
}

async function readManifest(folder: string): Promise<Manifest> {
  const text = new TextDecoder().decode(await platform.readFile(manifestPath(folder), 1_000_000));
  try {
    const manifest = JSON.parse(text) as Manifest;
    const plain = (entry: Entry) =>
      /^step-\d+-[0-9a-f]{8}\.safetensors$/.test(entry.file) &&
      Number.isSafeInteger(entry.step) &&
      typeof entry.sha256 === "string";
    if (
      manifest.format === "espalier checkpoints" &&
      manifest.version === 1 &&
      manifest.checkpoints.every(plain)
    ) {
      return manifest;
    }
  } catch {
    // Falls through to the same error: in any case, the manifest cannot be used.
  }
  throw new EspalierError("CHECKPOINT_CORRUPT", {
    thing: manifestPath(folder),
    rule: "must be a manifest that espalier wrote",
    received: text.slice(0, 80),
    remedy: "Resume from the bytes of one of the step-*.safetensors files instead.",
  });
}
