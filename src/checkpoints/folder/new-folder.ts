import { platform } from "#platform";
import { EspalierError } from "../../tensor/errors.ts";

/** Says which process writes a folder, so that what it leaves behind when it is killed can be told from one at work. */
const writerName = ".espalier-writer";

/** Throws `OUTPUT_EXISTS` if there is something at `out`, or an unfinished folder next to it that may be in use. */
export async function checkTarget(out: string): Promise<void> {
  const kind = await platform.kindOf(out);
  const names = kind === "folder" ? await platform.listFolder(out) : [];
  if (kind !== undefined && (kind !== "folder" || names.length > 0)) {
    throw new EspalierError("OUTPUT_EXISTS", {
      thing: out,
      rule: "must be a new folder, or an empty one: files in it would be read with the new ones",
      received: names.slice(0, 3),
      remedy: "Choose another --out.",
    });
  }
  const temporary = temporaryOf(out);
  if ((await platform.kindOf(temporary)) !== undefined && !(await isAbandoned(temporary)))
    throw inUse(temporary);
}

/**
 * Writes a folder under a temporary name, which becomes `out` once `write` has resolved. If it throws, or the process
 * ends, there is nothing at `out`; what a killed process left under the temporary name is removed next time. Throws
 * `OUTPUT_EXISTS`.
 */
export async function writeNewFolder<T>(out: string, write: (temporary: string) => Promise<T>): Promise<T> {
  await checkTarget(out);
  const temporary = temporaryOf(out);
  await platform.removeFolder(temporary);
  await platform.makeFolder(temporary);
  await claim(temporary);
  try {
    const written = await write(temporary);
    if ((await platform.kindOf(out)) === "folder") await platform.removeFolder(out);
    await platform.rename(temporary, out);
    await platform.removeFile(`${out}/${writerName}`);
    return written;
  } catch (error) {
    await platform.removeFolder(temporary);
    throw error;
  }
}

const temporaryOf = (out: string) => `${out}.tmp`;

/** Whether a folder is empty, or was being written by a process that has ended. */
async function isAbandoned(folder: string): Promise<boolean> {
  if ((await platform.kindOf(folder)) !== "folder") return false;
  const names = await platform.listFolder(folder);
  if (!names.includes(writerName)) return names.length === 0;
  const writer = new TextDecoder().decode(await platform.readFile(`${folder}/${writerName}`, 1024));
  return platform.hasEnded(writer);
}

/** Two runs with the same target must not write into one folder: only one of them can create the file. */
async function claim(temporary: string): Promise<void> {
  const file = await platform.createFile(`${temporary}/${writerName}`).catch((cause) => {
    throw inUse(temporary, cause);
  });
  try {
    await file.write(new TextEncoder().encode(platform.ownName()));
    await file.finish();
  } finally {
    await file.close();
  }
}

function inUse(temporary: string, cause?: unknown): EspalierError {
  return new EspalierError("OUTPUT_EXISTS", {
    thing: temporary,
    rule: "must not exist: the new folder is written under this name first",
    received: "a folder that another run may be writing",
    remedy: "If no other run is writing it, remove it.",
    cause,
  });
}
