import { randomBytes } from "node:crypto";
import { appendFile, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { EspalierError } from "../tensor/errors.ts";
import type { Platform } from "./platform.ts";

/** Largest file read unless the caller says otherwise: 2 GiB, ONNX's own limit for one protobuf. */
const defaultMaxBytes = 2 ** 31;

async function readFile(path: string, maxBytes = defaultMaxBytes): Promise<Uint8Array> {
  const file = await open(path, "r").catch((cause: NodeJS.ErrnoException) => {
    throw new EspalierError("FORMAT", {
      thing: path,
      rule: cause.code === "ENOENT" ? "must exist" : "must be readable",
      received: cause.code ?? cause.message,
      remedy: "Check the path.",
      cause,
    });
  });
  try {
    const status = await file.stat();
    if (!status.isFile()) throw new EspalierError("FORMAT", { thing: path, rule: "must be a regular file" });
    if (status.size > maxBytes) {
      throw new EspalierError("TOO_LARGE", {
        thing: path,
        rule: `may have at most ${maxBytes} bytes`,
        received: status.size,
        remedy: "Raise maxBytes if you trust the file.",
      });
    }
    const bytes = await file.readFile();
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } finally {
    await file.close();
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

async function writeFile(path: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw cause;
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

/** Files and memory under Node. */
export const platform: Platform = {
  name: "node",
  readFile,
  writeFile,
  appendFile: (path, text) => appendFile(path, text),
  listFolder,
  makeFolder: async (path) => {
    await mkdir(path, { recursive: true });
  },
  removeFile: (path) => rm(path, { force: true }),
  residentMemory: () => process.memoryUsage.rss(),
};
