import { EspalierError } from "../../tensor/errors.ts";
import { checkLimit, type Limits } from "../limits.ts";

/**
 * Files next to a model's own, by plain name. An implementation is responsible for what it opens: regular files
 * with one link, in the model's folder and nowhere else.
 */
export interface ExternalFiles {
  /** Bytes of a file. Throws `FORMAT` if there is none that may be opened. */
  sizeOf(name: string): number;
  /** A new array of `length` bytes starting at `offset`; they are within the file's size. */
  read(name: string, offset: number, length: number): Uint8Array;
}

/** A range of a file, as a tensor's `external_data` entries state it. */
interface Range {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
}

/** Longest file name of the common file systems, in characters. */
const maxNameLength = 255;

/** Device names of Windows, which are not files in any folder. */
const device = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/**
 * Reads tensors from other files. The total read from a file never exceeds its size, however often the model refers to
 * it: tensors with the same range share their bytes, other overlaps are refused once they add up to too much.
 */
export class ExternalData {
  readonly #files: ExternalFiles;
  readonly #limits: Limits;
  readonly #known = new Map<string, { readonly size: number; taken: number }>();
  readonly #read = new Map<string, Uint8Array>();
  #total = 0;

  constructor(files: ExternalFiles, limits: Limits) {
    this.#files = files;
    this.#limits = limits;
  }

  /** The `needed` bytes of a tensor. Throws `FORMAT` or `TOO_LARGE`, before anything is allocated. */
  bytes(thing: string, entries: ReadonlyMap<string, string>, needed: number): Uint8Array {
    const range = rangeOf(thing, entries, needed);
    const key = `${range.offset}:${range.length}:${range.name}`;
    const known = this.#read.get(key);
    if (known !== undefined) return known;
    this.#reserve(thing, range);
    const bytes = this.#files.read(range.name, range.offset, range.length);
    this.#read.set(key, bytes);
    return bytes;
  }

  #reserve(thing: string, { name, offset, length }: Range): void {
    checkLimit(this.#limits, "maxExternalBytes", thing, this.#total + length);
    let file = this.#known.get(name);
    if (file === undefined) {
      file = { size: this.#files.sizeOf(name), taken: 0 };
      this.#known.set(name, file);
    }
    if (offset + length > file.size) {
      const received = `${length} bytes from ${offset} on`;
      throw new EspalierError("FORMAT", {
        thing,
        rule: `must be within the ${file.size} bytes of "${name}"`,
        received,
      });
    }
    if (file.taken + length > file.size) {
      throw new EspalierError("FORMAT", { thing, rule: `overlaps with other tensors in "${name}"` });
    }
    file.taken += length;
    this.#total += length;
  }
}

function rangeOf(thing: string, entries: ReadonlyMap<string, string>, needed: number): Range {
  const name = entries.get("location") ?? "";
  if (!isPlainName(name)) {
    throw new EspalierError("FORMAT", {
      thing,
      rule: "its data must be in a file in the model's own folder, given by a plain name",
      received: name,
    });
  }
  const offset = wholeNumber(thing, "offset", entries.get("offset") ?? "0");
  const length = wholeNumber(thing, "length", entries.get("length") ?? String(needed));
  if (length !== needed) {
    throw new EspalierError("FORMAT", { thing, rule: `its shape needs ${needed} bytes`, received: length });
  }
  return { name, offset, length };
}

/** Whether a name can only mean a file of one folder, on any system: no path, no parent, no device, no stream. */
export function isPlainName(name: string): boolean {
  if (name === "" || name === "." || name === ".." || name.length > maxNameLength) return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are refused.
  return !/[/\\:\u0000-\u001f]/.test(name) && !device.test(name);
}

function wholeNumber(thing: string, what: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new EspalierError("FORMAT", {
    thing,
    rule: `its ${what} must be a whole number below 10^15`,
    received: text,
  });
}
