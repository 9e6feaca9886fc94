import { EspalierError } from "../tensor/errors.ts";
import type { Platform } from "./platform.ts";

function noPaths(path: string): EspalierError {
  return new EspalierError("PLATFORM", {
    thing: path,
    rule: "paths need Node; a browser has no file system",
    remedy: "Pass or take bytes instead (fetch them, or hold them in an ArrayBuffer).",
  });
}

const refuse = (path: string) => Promise.reject(noPaths(path));
const refuseAtOnce = (path: string) => {
  throw noPaths(path);
};

/** The browser: bytes in, bytes out, no paths. */
export const platform: Platform = {
  name: "web",
  readFile: refuse,
  writeFile: refuse,
  openFolder: refuseAtOnce,
  locate: refuseAtOnce,
  appendFile: refuse,
  listFolder: refuse,
  makeFolder: refuse,
  removeFile: refuse,
  residentMemory: () => undefined,
};
