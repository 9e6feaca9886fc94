import { EspalierError } from "../../tensor/errors.ts";
import { readSource, type Source, sourceName } from "../source.ts";
import type { Encoding, TextOptions } from "./options.ts";
import { parseTable } from "./parse.ts";
import type { Table } from "./table.ts";

export interface TableFileOptions extends TextOptions {
  /** Maximum size of the file, and of its decompressed contents, in bytes; default 256 MiB. */
  readonly maxBytes?: number;
  /** Default: UTF-8, or UTF-16 if the file starts with its byte order mark. */
  readonly encoding?: Encoding;
}

const defaultMaxBytes = 2 ** 28;

/** {@link parseTable} of a file, given as a path or bytes, gzipped or not. Throws what parsing and reading throw. */
export async function readTable(source: Source, options: TableFileOptions = {}): Promise<Table> {
  const name = options.name ?? sourceName(source, "CSV");
  const bytes = await readSource(source, name, options.maxBytes ?? defaultMaxBytes);
  return parseTable(textOf(bytes, name, options.encoding), { ...options, name });
}

/** The first bytes of a zip archive, which .xlsx and .ods files are. */
const zipMark = [0x50, 0x4b, 0x03, 0x04];

const marks: readonly (readonly [Encoding, readonly number[]])[] = [
  ["utf-16le", [0xff, 0xfe]],
  ["utf-16be", [0xfe, 0xff]],
];

function textOf(bytes: Uint8Array, name: string, given: Encoding | undefined): string {
  if (zipMark.every((byte, at) => bytes[at] === byte)) {
    throw new EspalierError("CSV", {
      thing: name,
      rule: "must be text, but is a spreadsheet or another zip archive",
      received: `${bytes.length} bytes`,
      remedy: "Save the table as CSV.",
    });
  }
  const encoding =
    given ?? marks.find(([, mark]) => mark.every((byte, at) => bytes[at] === byte))?.[0] ?? "utf-8";
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new EspalierError("CSV", {
      thing: name,
      rule: `must be ${encoding.toUpperCase()} text`,
      received: "other bytes",
      remedy:
        "Save the file as UTF-8, or say what it is: encoding (command line: --encoding latin1 for Windows and Western European files, utf-16le).",
      cause,
    });
  }
  const zero = text.indexOf("\0");
  if (zero === -1) return text;
  throw new EspalierError("CSV", {
    thing: name,
    rule: "must be text, but contains a zero byte",
    received: text.slice(Math.max(0, zero - 10), zero + 10),
    remedy: `If it is UTF-16 text: encoding (command line: --encoding ${zero === 0 ? "utf-16be" : "utf-16le"}); a spreadsheet must be saved as CSV first.`,
  });
}
