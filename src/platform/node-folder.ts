import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from "node:fs";
import { basename, join } from "node:path";
import { type ErrorCode, EspalierError } from "../tensor/errors.ts";
import type { Folder } from "./platform.ts";

/** Bytes per call to the system. */
const pieceBytes = 2 ** 26;

interface OpenFile {
  readonly descriptor: number;
  readonly size: number;
}

/**
 * Files of `path`, opened on first use. The check is on the open file itself, so nobody can replace it between check and
 * use; it does not block on a pipe or a device.
 */
export function openFolder(path: string): Folder {
  const files = new Map<string, OpenFile>();
  const fileOf = (name: string): OpenFile => {
    let file = files.get(name);
    if (file === undefined) {
      file = openRegular(path, name);
      files.set(name, file);
    }
    return file;
  };
  return {
    sizeOf: (name) => fileOf(name).size,
    read: (name, offset, length) => readRange(fileOf(name), name, offset, length),
    close: () => {
      for (const { descriptor } of files.values()) closeSync(descriptor);
      files.clear();
    },
  };
}

function openRegular(folder: string, name: string): OpenFile {
  const refuse = (
    rule: string,
    received?: unknown,
    cause?: unknown,
    code: ErrorCode = "FORMAT",
  ): EspalierError =>
    new EspalierError(code, {
      thing: `external data "${name}"`,
      rule,
      received: received ?? name,
      cause,
    });
  if (basename(name) !== name || name === "" || name === "." || name === "..") {
    throw refuse("must be a plain name in the model's own folder");
  }
  const path = join(folder, name);
  let descriptor: number;
  try {
    if (lstatSync(path).isSymbolicLink()) throw refuse("must not be a symbolic link");
    // Windows has neither flag; there the check above must suffice.
    const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
    descriptor = openSync(path, flags);
  } catch (cause) {
    if (cause instanceof EspalierError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") throw refuse("must exist next to the model", code, cause, "FILE_MISSING");
    throw refuse("must be readable", code, cause);
  }
  const status = fstatSync(descriptor);
  if (status.isFile() && status.nlink === 1) return { descriptor, size: status.size };
  closeSync(descriptor);
  if (!status.isFile()) throw refuse("must be a regular file");
  throw refuse("must have only one link, so that it is not in another folder too", `${status.nlink} links`);
}

function readRange({ descriptor }: OpenFile, name: string, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const count = readSync(descriptor, bytes, at, Math.min(pieceBytes, length - at), offset + at);
    if (count === 0) {
      throw new EspalierError("FORMAT", {
        thing: `external data "${name}"`,
        rule: `must contain ${length} bytes from offset ${offset}`,
        received: at,
      });
    }
    at += count;
  }
  return bytes;
}
