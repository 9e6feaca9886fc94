import { mkdir, rm } from "node:fs/promises";
import { platform } from "#platform";
import type { JobResult } from "../../compare/job.ts";
import { sortedKeys } from "../../compare/job.ts";
import type { JobStore } from "../../compare/run-job.ts";
import { EspalierError } from "../../tensor/errors.ts";

/** Finished and half-finished jobs in a folder. */
export function jobStore(folder: string): JobStore {
  const path = (name: string) => `${folder}/${name}`;
  return {
    read: async (name) => {
      // Looks for the file rather than listing the folder, which may have thousands.
      const bytes = await platform.readFile(path(name)).catch((error: unknown) => {
        if (error instanceof EspalierError && error.code === "FILE_MISSING") return undefined;
        throw error;
      });
      return bytes;
    },
    write: async (name, bytes) => {
      await mkdir(folder, { recursive: true });
      await platform.writeFile(path(name), bytes);
    },
    remove: (name) => rm(path(name), { force: true }),
  };
}

const resultFile = (key: string) => `${key}.json`;

/** A job's result; undefined if it has none yet. */
export async function readResult(store: JobStore, key: string): Promise<JobResult | undefined> {
  const bytes = await store.read(resultFile(key));
  return bytes === undefined ? undefined : (JSON.parse(new TextDecoder().decode(bytes)) as JobResult);
}

export async function writeResult(store: JobStore, key: string, result: JobResult): Promise<void> {
  await store.write(resultFile(key), new TextEncoder().encode(`${JSON.stringify(result, sortedKeys)}\n`));
}
