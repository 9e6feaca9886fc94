import { platform } from "#platform";
import { defaultMaxUnpacked, gunzip, isGzip } from "./gzip.ts";

/** Where a loader reads from: a path (Node), or bytes (anywhere). */
export type Source = string | Uint8Array | ArrayBuffer;

/** The name of a source in errors. */
export function sourceName(source: Source, otherwise: string): string {
  return typeof source === "string" ? source : otherwise;
}

/** The bytes of a source, decompressed if they are gzip. `maxBytes` limits the file and its decompressed contents. */
export async function readSource(
  source: Source,
  name: string,
  maxBytes = defaultMaxUnpacked,
): Promise<Uint8Array> {
  const bytes =
    typeof source === "string"
      ? await platform.readFile(source, maxBytes)
      : source instanceof Uint8Array
        ? source
        : new Uint8Array(source);
  return isGzip(bytes) ? gunzip(bytes, maxBytes, name) : bytes;
}
