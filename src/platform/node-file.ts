import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { EspalierError } from "../tensor/errors.ts";
import type { SourceFile, TargetFile } from "./platform.ts";

/** Bytes per system call. */
const pieceBytes = 2 ** 26;

/** See `Platform.openFile`. */
export function openFile(path: string): SourceFile {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const missing = code === "ENOENT";
    throw new EspalierError(missing ? "FILE_MISSING" : "FORMAT", {
      thing: path,
      rule: missing ? "does not exist" : "must be readable",
      received: code,
      remedy: "Check the path.",
      cause,
    });
  }
  const status = fstatSync(descriptor);
  if (!status.isFile()) {
    closeSync(descriptor);
    throw new EspalierError("FORMAT", { thing: path, rule: "must be a regular file" });
  }
  let open = true;
  return {
    size: status.size,
    read(offset, length) {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; ) {
        const count = readSync(descriptor, bytes, at, Math.min(pieceBytes, length - at), offset + at);
        if (count === 0) {
          throw new EspalierError("FORMAT", {
            thing: path,
            rule: `must contain ${length} bytes from offset ${offset}`,
            received: at,
            remedy: "The file is truncated: fetch it again.",
          });
        }
        at += count;
      }
      return bytes;
    },
    close() {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}

/** See `Platform.createFile`. */
export function createFile(path: string): TargetFile {
  const descriptor = openSync(path, "wx");
  let open = true;
  const close = () => {
    if (open) closeSync(descriptor);
    open = false;
  };
  return {
    write(bytes) {
      for (let at = 0; at < bytes.length; ) {
        at += writeSync(descriptor, bytes, at, Math.min(pieceBytes, bytes.length - at));
      }
    },
    finish() {
      fsyncSync(descriptor);
      close();
    },
    close,
  };
}
