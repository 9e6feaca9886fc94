import { type Checkpoint, decodeCheckpoint } from "./checkpoint.ts";
import { readCheckpoint } from "./checkpoint-folder.ts";

/**
 * A checkpoint out of a folder (`step` picks an older one of it) or of bytes, to go on from with so many threads. Throws
 * `CHECKPOINT_MISSING` or `CHECKPOINT_CORRUPT`.
 */
export async function openCheckpoint(
  source: string | Uint8Array,
  { step, threads }: { readonly step?: number; readonly threads?: number },
): Promise<Checkpoint> {
  const { path, bytes } =
    typeof source === "string" ? await readCheckpoint(source, step) : { path: undefined, bytes: source };
  const { settings, state } = await decodeCheckpoint(bytes, path);
  const session = { ...settings.session, ...(threads === undefined ? {} : { threads }) };
  return { settings: { ...settings, session }, state };
}
