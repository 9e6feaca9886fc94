/** Reads files of one folder, for a model that refers to files beside it. */
export interface Folder {
  /**
   * Bytes of a file, given by a plain name. Throws `FORMAT` for anything but a regular file of this very folder: links
   * are not followed, and a file with a second (hard) link is refused.
   */
  sizeOf(name: string): number;
  /** `length` bytes from `offset` on, in an array of their own. Throws `FORMAT` where the file ends before. */
  read(name: string, offset: number, length: number): Uint8Array;
  close(): void;
}

/** What differs between Node and the browser, other than the engine. Chosen by package.json's `#platform`. */
export interface Platform {
  readonly name: "node" | "web";
  /** A whole file. Throws `FORMAT` where there is none, `TOO_LARGE` over `maxBytes`. */
  readFile(path: string, maxBytes?: number): Promise<Uint8Array>;
  /**
   * Replaces `path` in one step: temporary file, fsync, rename, fsync of the folder. Nothing is lost on a crash.
   * Pieces are written one after the other.
   */
  writeFile(path: string, bytes: Uint8Array | Iterable<Uint8Array>): Promise<void>;
  openFolder(path: string): Folder;
  /** A path as its folder and the name in it. */
  locate(path: string): { readonly folder: string; readonly name: string };
  /** Appends text to a file, creating it. */
  appendFile(path: string, text: string): Promise<void>;
  /** Names in a folder, sorted; empty where there is no such folder. */
  listFolder(path: string): Promise<readonly string[]>;
  makeFolder(path: string): Promise<void>;
  removeFile(path: string): Promise<void>;
  /** Comes back once the page has drawn and heard what waited; absent where other threads and timers have their turn anyway. */
  readonly turn?: () => Promise<void>;
  /** Resident memory of the process in bytes; undefined where it cannot be told. */
  residentMemory(): number | undefined;
}
