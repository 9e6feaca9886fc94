/** Reads files of one folder, for a model that refers to files next to it. */
export interface Folder {
  /**
   * Bytes of a file, given by a plain name. Throws `FORMAT` for anything but a regular file in this folder itself: links
   * are not followed, and a file with a second (hard) link is refused.
   */
  sizeOf(name: string): number;
  /** `length` bytes starting at `offset`, in a new array. Throws `FORMAT` if the file ends before that. */
  read(name: string, offset: number, length: number): Uint8Array;
  close(): void;
}

/** A file that is read in pieces. */
export interface SourceFile {
  readonly size: number;
  /** `length` bytes starting at `offset`, in a new array. Throws `FORMAT` if the file ends before that. */
  read(offset: number, length: number): Uint8Array;
  close(): void;
}

/** A new file that is written from its beginning to its end. */
export interface TargetFile {
  /** Resolves once more can be written; the bytes may be on their way and must not be changed. */
  write(bytes: Uint8Array): Promise<void>;
  /** Writes it to the disk (fsync) and closes it. */
  finish(): Promise<void>;
  /** Closes it as it is; after {@link finish} nothing happens. */
  close(): Promise<void>;
}

/** What differs between Node and the browser, other than the engine. Chosen by package.json's `#platform`. */
export interface Platform {
  readonly name: "node" | "web";
  /** A whole file. Throws `FORMAT` if there is none, `TOO_LARGE` over `maxBytes`. */
  readFile(path: string, maxBytes?: number): Promise<Uint8Array>;
  /**
   * Replaces `path` in one step: temporary file, fsync, rename, fsync of the folder. Nothing is lost on a crash.
   * Pieces are written one after the other.
   */
  writeFile(path: string, bytes: Uint8Array | Iterable<Uint8Array>): Promise<void>;
  openFolder(path: string): Folder;
  /** A regular file of any size; links are followed. Throws `FILE_MISSING` or `FORMAT`. */
  openFile(path: string): SourceFile;
  /** A file that must not exist yet. */
  createFile(path: string): Promise<TargetFile>;
  /** What a path leads to, links followed; undefined if there is nothing. */
  kindOf(path: string): Promise<"file" | "folder" | "other" | undefined>;
  /** Renames a file or folder in one step; on disk when the promise resolves. */
  rename(from: string, to: string): Promise<void>;
  removeFolder(path: string): Promise<void>;
  /** A path as its folder and the name in it. */
  locate(path: string): { readonly folder: string; readonly name: string };
  /** Appends text to a file, creating it. */
  appendFile(path: string, text: string): Promise<void>;
  /** Names in a folder, sorted; empty if there is no such folder. */
  listFolder(path: string): Promise<readonly string[]>;
  makeFolder(path: string): Promise<void>;
  removeFile(path: string): Promise<void>;
  /** Resolves once the page has rendered and handled waiting events; absent if other threads and timers get their turn anyway. */
  readonly turn?: () => Promise<void>;
  /** A name of this process that {@link hasEnded} understands, on one line. */
  ownName(): string;
  /** Whether a process is known to have ended: false if its name says nothing, or if it ran on another machine. */
  hasEnded(name: string): boolean;
  /** Resident memory of the process in bytes; undefined if unknown. */
  residentMemory(): number | undefined;
}
