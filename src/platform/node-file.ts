import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
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

/** Writes all bytes where the last ones ended. */
export async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let at = 0;
  while (at < bytes.length) {
    const { bytesWritten } = await file.write(bytes, at, Math.min(pieceBytes, bytes.length - at));
    at += bytesWritten;
  }
}

/** Bytes that are written before the disk is told to store them, while the next are made. */
const flushBytes = 2 ** 26;

/**
 * See `Platform.createFile`. One piece is written while the next is made, and what is written goes to the disk meanwhile:
 * then {@link TargetFile.finish} has little left to wait for, and little memory waits for the disk.
 */
export async function createFile(path: string): Promise<TargetFile> {
  const file = await open(path, "wx");
  let [writing, flushing] = [Promise.resolve(), Promise.resolve()];
  let unflushed = 0;
  let isOpen = true;
  const inBackground = (work: Promise<void>) => {
    // Whoever waits for it next hears of its failure.
    work.catch(() => {});
    return work;
  };
  const close = async () => {
    if (isOpen) await file.close();
    isOpen = false;
  };
  return {
    write: (bytes) =>
      named(path, async () => {
        await writing;
        writing = inBackground(writeAll(file, bytes));
        unflushed += bytes.length;
        if (unflushed < flushBytes) return;
        await Promise.all([writing, flushing]);
        flushing = inBackground(file.datasync());
        unflushed = 0;
      }),
    finish: () =>
      named(path, async () => {
        await Promise.all([writing, flushing]);
        await file.sync();
        await close();
      }),
    close,
  };
}

/** Errors of an open file say which it is. */
export async function named(path: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    throw error instanceof Error && !("path" in error) ? Object.assign(error, { path }) : error;
  }
}
