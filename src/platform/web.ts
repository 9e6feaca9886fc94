import { EspalierError } from "../tensor/errors.ts";
import type { Platform } from "./platform.ts";

function refuse(path: string): Promise<never> {
  return Promise.reject(
    new EspalierError("PLATFORM", {
      thing: path,
      rule: "paths need Node; a browser has no file system",
      remedy: "Pass or take bytes instead (fetch them, or hold them in an ArrayBuffer).",
    }),
  );
}

/** The browser: bytes in, bytes out, no paths. */
export const platform: Platform = {
  name: "web",
  readFile: refuse,
  writeFile: refuse,
  appendFile: refuse,
  listFolder: refuse,
  makeFolder: refuse,
  removeFile: refuse,
  residentMemory: () => undefined,
};
