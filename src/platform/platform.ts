/** What differs between Node and the browser, other than the engine. Chosen by package.json's `#platform`. */
export interface Platform {
  readonly name: "node" | "web";
  /** A whole file. Throws `FORMAT` where there is none, `TOO_LARGE` over `maxBytes`. */
  readFile(path: string, maxBytes?: number): Promise<Uint8Array>;
  /** Replaces `path` in one step: temporary file, fsync, rename, fsync of the folder. Nothing is lost on a crash. */
  writeFile(path: string, bytes: Uint8Array): Promise<void>;
  /** Appends text to a file, creating it. */
  appendFile(path: string, text: string): Promise<void>;
  /** Names in a folder, sorted; empty where there is no such folder. */
  listFolder(path: string): Promise<readonly string[]>;
  makeFolder(path: string): Promise<void>;
  removeFile(path: string): Promise<void>;
  /** Resident memory of the process in bytes; undefined where it cannot be told. */
  residentMemory(): number | undefined;
}
