import { EspalierError } from "../tensor/errors.ts";
import type { Platform } from "./platform.ts";

function noPaths(path: string): EspalierError {
  return new EspalierError("PLATFORM", {
    thing: path,
    rule: "paths need Node; a browser has no file system",
    remedy: "Pass or take bytes instead (fetched, or from an ArrayBuffer).",
  });
}

const refuse = (path: string) => Promise.reject(noPaths(path));
const refuseAtOnce = (path: string) => {
  throw noPaths(path);
};

/** A message to itself waits in the page's event queue; a timer would be delayed by 4 ms, and a promise lets no event in. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/** The browser: bytes in, bytes out, no paths. */
export const platform: Platform = {
  name: "web",
  readFile: refuse,
  writeFile: refuse,
  openFolder: refuseAtOnce,
  openFile: refuseAtOnce,
  createFile: refuse,
  kindOf: refuse,
  rename: refuse,
  removeFolder: refuse,
  locate: refuseAtOnce,
  appendFile: refuse,
  listFolder: refuse,
  makeFolder: refuse,
  removeFile: refuse,
  ownName: () => "page",
  hasEnded: () => false,
  turn,
  residentMemory: () => undefined,
};
