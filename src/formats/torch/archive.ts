import { EspalierError } from "../../tensor/errors.ts";
import { crc32 } from "../crc32.ts";

/** Reads `length` bytes of a file, starting at `offset`. */
export type ReadRange = (offset: number, length: number) => Uint8Array;

/** A file within an archive, stored uncompressed. */
export interface ArchiveEntry {
  readonly name: string;
  /** Where its bytes begin in the archive. */
  readonly begin: number;
  readonly size: number;
  readonly crc: number;
}

/** Enough for three storages for each parameter of a model with 80,000 parameters. */
const maxEntries = 2 ** 18;
const maxNameBytes = 1024;
/** Bytes that are read at a time. */
const pieceBytes = 2 ** 22;

const endBytes = 22;
const locatorBytes = 20;
const end64Bytes = 56;
const centralBytes = 46;
const localBytes = 30;

const [full16, full32] = [0xffff, 0xffffffff];
/** A data descriptor follows the bytes; the name is in UTF-8. */
const knownFlags = 0x0808;

/** Where the list of an archive's files is. */
interface Directory {
  readonly count: number;
  readonly begin: number;
  readonly size: number;
}

/**
 * Lists a zip file whose files are stored uncompressed, as torch writes it, with or without zip64. Refused with `FORMAT`:
 * compressed or encrypted files, duplicate names, files that overlap, local headers that disagree with the list,
 * comments, and contents that do not match their CRC-32. The whole archive is read once, in pieces.
 */
export function readArchive(read: ReadRange, size: number): ReadonlyMap<string, ArchiveEntry> {
  const { count, begin, size: length } = directoryOf(read, size);
  if (count > maxEntries) refuse("torch file", `may have at most ${maxEntries} files`, count, "TOO_LARGE");
  if (length > count * (centralBytes + maxNameBytes) || length < count * centralBytes) {
    refuse("torch file", `must have a list of its ${count} files`, `${length} bytes`);
  }
  const list = read(begin, length);
  const entries = new Map<string, ArchiveEntry>();
  const spans: { readonly from: number; readonly to: number; readonly name: string }[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    const { entry, header, next } = readListed(list, at);
    at = next;
    if (entries.has(entry.name)) refuse("torch file", "must not have a file twice", entry.name);
    const data = dataOf(read, header, entry.name, begin);
    if (data + entry.size > begin) refuse(entry.name, "must come before the list of files", entry.size);
    entries.set(entry.name, { ...entry, begin: data });
    spans.push({ from: header, to: data + entry.size, name: entry.name });
  }
  if (at !== length) refuse("torch file", "its list of files must be as long as it says", length);
  spans.sort((a, b) => a.from - b.from);
  spans.forEach(({ from, name }, index) => {
    const before = spans[index - 1];
    if (before !== undefined && before.to > from) refuse(name, "must not overlap another file", before.name);
  });
  for (const entry of entries.values()) checkSum(read, entry);
  return entries;
}

function directoryOf(read: ReadRange, size: number): Directory {
  if (size < endBytes) refuse("torch file", "must be a zip file", `${size} bytes`);
  const tail = Math.min(size, endBytes + locatorBytes);
  const view = viewOf(read(size - tail, tail));
  const at = tail - endBytes;
  if (view.getUint32(at, true) !== 0x06054b50) {
    refuse(
      "torch file",
      "must be a zip file without a comment, as torch has written since 1.6",
      "another file",
    );
  }
  const found: Directory = {
    count: view.getUint16(at + 10, true),
    size: view.getUint32(at + 12, true),
    begin: view.getUint32(at + 16, true),
  };
  if (view.getUint16(at + 4, true) !== 0 || view.getUint16(at + 6, true) !== 0) {
    refuse("torch file", "must be one file, not several disks", view.getUint16(at + 4, true));
  }
  const limit = size - endBytes;
  if (tail < endBytes + locatorBytes || view.getUint32(0, true) !== 0x07064b50) {
    if (view.getUint16(at + 8, true) !== found.count || found.begin + found.size !== limit) {
      refuse("torch file", "its list of files must be at its end", found);
    }
    return found;
  }
  return directory64(read, number64(view, 8), limit - locatorBytes, found);
}

/** The zip64 record, which must agree with the old one in all numbers that fit there. */
function directory64(read: ReadRange, begin: number, limit: number, old: Directory): Directory {
  if (begin + end64Bytes !== limit) refuse("torch file", "its zip64 record must be at its end", begin);
  const view = viewOf(read(begin, end64Bytes));
  if (view.getUint32(0, true) !== 0x06064b50) refuse("torch file", "must have a zip64 record", begin);
  const found = { count: number64(view, 32), size: number64(view, 40), begin: number64(view, 48) };
  const agrees = (one: number, other: number, full: number) => one === other || one === full;
  if (
    !agrees(old.count, found.count, full16) ||
    !agrees(old.size, found.size, full32) ||
    !agrees(old.begin, found.begin, full32) ||
    number64(view, 24) !== found.count ||
    found.begin + found.size !== begin
  ) {
    refuse("torch file", "its two records of the position of its file list must agree", found);
  }
  return found;
}

function readListed(list: Uint8Array, at: number) {
  if (at + centralBytes > list.length) refuse("torch file", "its list of files ends too early", list.length);
  const view = viewOf(list.subarray(at));
  if (view.getUint32(0, true) !== 0x02014b50) refuse("torch file", "must list its files", at);
  const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((place) => view.getUint16(place, true)) as [
    number,
    number,
    number,
  ];
  const next = at + centralBytes + nameBytes + extraBytes + commentBytes;
  if (next > list.length || nameBytes > maxNameBytes || commentBytes > 0) {
    refuse("torch file", "must list files with short names and without comments", nameBytes);
  }
  const name = nameOf(list.subarray(at + centralBytes, at + centralBytes + nameBytes));
  checkKind(name, view.getUint16(8, true), view.getUint16(10, true));
  const extra = extra64(viewOf(list.subarray(next - extraBytes, next)), name);
  const wide = (place: number) => {
    const value = view.getUint32(place, true);
    return value === full32 ? extra() : value;
  };
  const size = wide(24);
  const stored = wide(20);
  const header = wide(42);
  if (stored !== size) refuse(name, `must be stored in the ${size} bytes that it has`, stored);
  return { entry: { name, size, crc: view.getUint32(16, true) }, header, next };
}

/** Reads the numbers of the zip64 field, one per call. */
function extra64(view: DataView, name: string): () => number {
  let [at, end] = [0, 0];
  for (let place = 0; place + 4 <= view.byteLength; place += 4 + view.getUint16(place + 2, true)) {
    if (view.getUint16(place, true) !== 1) continue;
    [at, end] = [place + 4, place + 4 + view.getUint16(place + 2, true)];
    break;
  }
  return () => {
    if (at + 8 > Math.min(end, view.byteLength))
      return refuse(name, "must have a zip64 field for its sizes", end);
    at += 8;
    return number64(view, at - 8);
  };
}

/** Where a file's bytes begin, after a header that must agree with the list. */
function dataOf(read: ReadRange, header: number, name: string, limit: number): number {
  if (header + localBytes > limit) refuse(name, "its header must come before the list of files", header);
  const start = read(header, Math.min(limit - header, localBytes + maxNameBytes));
  const view = viewOf(start);
  const [nameBytes, extraBytes] = [view.getUint16(26, true), view.getUint16(28, true)];
  if (view.getUint32(0, true) !== 0x04034b50 || nameBytes > start.length - localBytes) {
    refuse(name, "must have a header where the list says", header);
  }
  checkKind(name, view.getUint16(6, true), view.getUint16(8, true));
  const own = nameOf(start.subarray(localBytes, localBytes + nameBytes));
  if (own !== name) refuse(name, "must have the name that the list says", own);
  return header + localBytes + nameBytes + extraBytes;
}

function checkKind(name: string, flags: number, method: number): void {
  if (method !== 0) refuse(name, "must be stored uncompressed, as torch does", `method ${method}`);
  if ((flags & ~knownFlags) !== 0) refuse(name, "must not be encrypted or patched", `flags ${flags}`);
}

function checkSum(read: ReadRange, { name, begin, size, crc }: ArchiveEntry): void {
  let sum = 0;
  for (let at = 0; at < size; at += pieceBytes) {
    sum = crc32(read(begin + at, Math.min(pieceBytes, size - at)), sum);
  }
  if (sum === crc) return;
  throw new EspalierError("FORMAT", {
    thing: name,
    rule: "must match its CRC-32",
    received: sum.toString(16),
    remedy: "The file is damaged, or was saved without checksums: save it again with torch.save.",
  });
}

function nameOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse("torch file", "must have names in UTF-8", bytes.length);
  }
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

function number64(view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true));
  return Number.isSafeInteger(value) ? value : refuse("torch file", "must have sizes below 2^53", value);
}

function refuse(
  thing: string,
  rule: string,
  received: unknown,
  code: "FORMAT" | "TOO_LARGE" = "FORMAT",
): never {
  throw new EspalierError(code, {
    thing,
    rule,
    received,
    remedy: "Save it again with torch.save.",
  });
}
