import { randomBytes } from "node:crypto";
import { appendFile, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname } from "node:path";
import { EspalierError } from "../tensor/errors.ts";
import { createFile, named, openFile, writeAll } from "./node-file.ts";
import { openFolder } from "./node-folder.ts";
import type { Platform } from "./platform.ts";

/** Largest file read unless the caller says otherwise: 2 GiB, ONNX's own limit for one protobuf. */
const defaultMaxBytes = 2 ** 31;

/** Bytes per system call: few calls, and less than any system's own limit. */
const pieceBytes = 2 ** 26;

async function readFile(path: string, maxBytes = defaultMaxBytes): Promise<Uint8Array> {
  const file = await open(path, "r").catch((cause: NodeJS.ErrnoException) => {
    const missing = cause.code === "ENOENT";
    throw new EspalierError(missing ? "FILE_MISSING" : "FORMAT", {
      thing: path,
      rule: missing ? "does not exist" : "must be readable",
      received: cause.code ?? cause.message,
      remedy: "Check the path.",
      cause,
    });
  });
  try {
    const status = await file.stat();
    if (!status.isFile())
      throw new EspalierError("FORMAT", {
        thing: path,
        rule: "must be a regular file",
        received: status.isDirectory() ? "a folder" : "a device or pipe",
        remedy: "Check the path.",
      });
    if (status.size > maxBytes) {
      throw new EspalierError("TOO_LARGE", {
        thing: path,
        rule: `may have at most ${maxBytes} bytes`,
        received: status.size,
        remedy: "Raise maxBytes if you trust the file.",
      });
    }
    const bytes = new Uint8Array(status.size);
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await file.read(bytes, at, Math.min(pieceBytes, bytes.length - at), at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  } finally {
    await file.close();
  }
}

/**
 * Makes a folder and those above it. Node's recursive `mkdir` never returns if the system refuses a new folder in an
 * existing one, as in /proc.
 */
async function makeFolder(path: string): Promise<void> {
  const make = (folder: string) =>
    mkdir(folder).catch(async (error: NodeJS.ErrnoException) => {
      const exists = error.code === "EEXIST" && (await stat(folder)).isDirectory();
      if (!exists) throw error;
    });
  try {
    await make(path);
  } catch (error) {
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || parent === path) throw error;
    await makeFolder(parent);
    await make(path);
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function writeFile(path: string, bytes: Uint8Array | Iterable<Uint8Array>): Promise<void> {
  const folder = dirname(path);
  await makeFolder(folder);
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await named(path, async () => {
      const file = await open(temporary, "wx");
      try {
        for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) await writeAll(file, piece);
        await file.sync();
      } finally {
        await file.close();
      }
    });
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function listFolder(path: string): Promise<readonly string[]> {
  try {
    return (await readdir(path)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

async function kindOf(path: string): ReturnType<Platform["kindOf"]> {
  try {
    const status = await stat(path);
    return status.isFile() ? "file" : status.isDirectory() ? "folder" : "other";
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

async function renameOnDisk(from: string, to: string): Promise<void> {
  if ((await kindOf(from)) === "folder") await syncFolder(from);
  await rename(from, to);
  await syncFolder(dirname(to));
}

/** See `Platform.hasEnded`. */
function hasEnded(name: string): boolean {
  const [, id = "", host] = /^(\d+) on (.+)$/s.exec(name) ?? [];
  if (host !== hostname() || id === "" || Number(id) === process.pid) return false;
  try {
    process.kill(Number(id), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** Files and memory under Node. */
export const platform: Platform = {
  name: "node",
  readFile,
  writeFile,
  openFolder,
  openFile,
  createFile,
  kindOf,
  rename: renameOnDisk,
  removeFolder: (path) => rm(path, { force: true, recursive: true }),
  locate: (path) => ({ folder: dirname(path), name: basename(path) }),
  appendFile: (path, text) => appendFile(path, text),
  listFolder,
  makeFolder,
  removeFile: (path) => rm(path, { force: true }),
  ownName: () => `${process.pid} on ${hostname()}`,
  hasEnded,
  residentMemory: () => process.memoryUsage.rss(),
};
