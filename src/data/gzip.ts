import { EspalierError } from "../tensor/errors.ts";

/** Largest result of {@link gunzip} unless the caller says otherwise: 1 GiB. */
export const defaultMaxUnpacked = 2 ** 30;

/** Whether the bytes start as a gzip file does (RFC 1952). */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Decompresses gzip bytes, up to `maxBytes` of output, so that a small hostile file cannot fill the memory.
 * Throws `TOO_LARGE` beyond that, `FORMAT` for corrupt or truncated bytes. `thing` names them in errors.
 */
export async function gunzip(
  bytes: Uint8Array,
  maxBytes = defaultMaxUnpacked,
  thing = "gzip data",
): Promise<Uint8Array> {
  const packed = new ReadableStream<BufferSource>({
    start(controller) {
      controller.enqueue(bytes as Uint8Array<ArrayBuffer>);
      controller.close();
    },
  });
  const reader = packed.pipeThrough(new DecompressionStream("gzip")).getReader();
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new EspalierError("FORMAT", {
        thing,
        rule: "must be a whole, uncorrupted gzip file",
        received: cause instanceof Error ? cause.message : cause,
        remedy: "Download the file again.",
        cause,
      });
    });
    if (done) break;
    total += value.byteLength;
    if (total > maxBytes) {
      await reader.cancel().catch(() => undefined);
      throw new EspalierError("TOO_LARGE", {
        thing,
        rule: `may unpack to at most ${maxBytes} bytes`,
        received: `more than ${maxBytes}`,
        remedy: "Raise maxBytes if you trust the file.",
      });
    }
    chunks.push(value);
  }
  const all = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.byteLength;
  }
  return all;
}
