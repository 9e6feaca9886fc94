import { EspalierError } from "../../tensor/errors.ts";

/** One row of a CSV file, and the line it starts on, counted from 1. */
export interface CsvRecord {
  readonly line: number;
  readonly cells: string[];
}

export interface RecordOptions {
  readonly delimiter: string;
  /** Lines to skip at the start. */
  readonly skipRows: number;
  /** Lines that start with this are skipped. */
  readonly comment?: string | undefined;
}

/**
 * The rows of CSV text after its first `skipRows` lines, by RFC 4180: lines end in LF, CRLF or CR; a cell in double
 * quotes may contain delimiters, line ends and doubled quotes. Empty lines are skipped. If the delimiter is a space, a
 * run of spaces counts as one. Throws `CSV` for a quote inside an unquoted cell, text after a closing quote, and a
 * quote that is never closed.
 *
 * Our own, because errors and reports need the line of every row, even after line ends in quotes: papaparse does not
 * count lines and expects one kind of line end per file; csv-parse needs Node's Buffer, which browsers lack.
 */
export function* csvRecords(
  name: string,
  given: string,
  { delimiter, skipRows, comment }: RecordOptions,
): Generator<CsvRecord> {
  const even = withEvenLines(given);
  const text = delimiter === " " ? withSingleSpaces(even) : even;
  const isBlank = delimiter.trim() === "" ? (row: string) => row === "" : (row: string) => row.trim() === "";
  let line = 1;
  let at = 0;
  for (; line <= skipRows && at < text.length; line++) at = lineEnd(text, at) + 1;
  while (at < text.length) {
    const end = lineEnd(text, at);
    if (comment !== undefined && text.startsWith(comment, at)) {
      at = end + 1;
      line++;
      continue;
    }
    const row = text.slice(at, text[end - 1] === "\r" && end > at ? end - 1 : end);
    if (!row.includes('"')) {
      if (!isBlank(row)) yield { line, cells: row.split(delimiter) };
      at = end + 1;
      line++;
      continue;
    }
    const cells: string[] = [];
    const first = line;
    const next = quotedRow(name, text, at, delimiter, line, cells);
    for (let end = lineEnd(text, at); end < next && end < text.length; end = lineEnd(text, end + 1)) line++;
    yield { line: first, cells };
    at = next;
  }
}

/** The same text with LF for each lone CR, which old Macs wrote and concatenated files may contain. */
function withEvenLines(text: string): string {
  if (!/\r(?!\n)/.test(text) || !/\r(?!\n)/.test(text.replaceAll(/"[^"]*"/g, ""))) return text;
  if (!text.includes("\n")) return text.replaceAll("\r", "\n");
  return text.replaceAll(/"[^"]*"|\r(?!\n)/g, (found) => (found === "\r" ? "\n" : found));
}

/** The same text with each run of spaces reduced to one, and none at either end of a line. */
function withSingleSpaces(text: string): string {
  return text.replace(/"[^"]*"|(^ +| +(?=\r?$))| +/gm, (found, border?: string) => {
    if (found.startsWith('"')) return found;
    return border === undefined ? " " : "";
  });
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end === -1 ? text.length : end;
}

/** Reads a row with quotes into `cells`; returns the start of the next one. */
function quotedRow(
  name: string,
  text: string,
  from: number,
  delimiter: string,
  line: number,
  cells: string[],
): number {
  const fail = (rule: string) =>
    new EspalierError("CSV", {
      thing: `${name}, line ${line}, column ${cells.length + 1}`,
      rule,
      received: text.slice(from, Math.min(lineEnd(text, from), from + 60)),
      remedy: 'Write the cell as "text", with every quote inside it doubled.',
    });
  let at = from;
  for (;;) {
    let cell = "";
    if (text[at] === '"') {
      at++;
      for (;;) {
        const quote = text.indexOf('"', at);
        if (quote === -1) throw fail("a quoted cell must be closed");
        cell += text.slice(at, quote);
        at = quote + 1;
        if (text[at] !== '"') break;
        cell += '"';
        at++;
      }
    } else {
      const start = at;
      while (at < text.length && text[at] !== delimiter && text[at] !== "\n" && text[at] !== '"') at++;
      if (text[at] === '"') throw fail("quotes may only surround a whole cell, and are doubled inside one");
      cell = text.slice(start, at);
      if (text[at] !== delimiter && cell.endsWith("\r")) cell = cell.slice(0, -1);
    }
    const rest = text[at] === "\r" && (text[at + 1] === "\n" || at + 1 === text.length) ? at + 1 : at;
    if (rest < text.length && text[rest] !== "\n" && text[rest] !== delimiter) {
      throw fail("a closing quote must end its cell");
    }
    cells.push(cell);
    if (rest >= text.length || text[rest] === "\n") return rest + 1;
    at = rest + 1;
  }
}
