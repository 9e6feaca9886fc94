import { EspalierError } from "../../tensor/errors.ts";
import { isCode, numberReader } from "./cells.ts";
import { isScikitLine, namesColumns } from "./head.ts";
import type { TextOptions } from "./options.ts";
import { type CsvRecord, csvRecords } from "./records.ts";
import type { Table, TableColumn } from "./table.ts";

/**
 * Rows and columns of CSV text. Throws `EMPTY_DATA` if there are no rows; `CSV`, with the line, for a row of another
 * length, a misplaced quote, or a first line that may be names or data; `ARGUMENT` for an option that makes no sense.
 */
export function parseTable(given: string, options: TextOptions = {}): Table {
  const { name = "CSV", skipRows = 0, comment } = options;
  const notes: string[] = [];
  const text = given.startsWith("\ufeff") ? given.slice(1) : given;
  const told = skipRows === 0 ? /^sep=(.)\r?(?:\n|\r|$)/i.exec(text)?.[1] : undefined;
  const delimiter = options.delimiter ?? told ?? ",";
  checkOptions(name, { ...options, delimiter });
  if (told !== undefined)
    notes.push(
      `line 1 says that "${told}" separates the cells${delimiter === told ? "" : "; the option, which differs, is used instead"}`,
    );
  refuseForeign(name, text);
  const records = csvRecords(name, text, { delimiter, comment, skipRows: told === undefined ? skipRows : 1 });
  const top = next(records);
  const second = next(records);
  if (top === undefined) throw noRows(name);
  const unnamed = lacksName(top, second, options);
  if (unnamed) notes.push(`line ${top.line} has no name for the first column, as R writes row names`);
  const first = unnamed ? { ...top, cells: ["", ...top.cells] } : top;
  checkFirst(name, first, second, options.leastColumns ?? 2);
  const scikit = options.header !== true && options.header !== false && isScikitLine(first, second);
  if (options.header === "sklearn" && !scikit) {
    throw new EspalierError("CSV", {
      thing: `${name}, line ${first.line}`,
      rule: "must state rows, columns and class names, as scikit-learn's files do",
      received: first.cells.slice(0, 8).join(","),
      remedy: "Omit header to have it detected.",
    });
  }
  const rows = new RowStore(name, scikit ? (second ?? first) : first, delimiter, options);
  const read = numberReader(options);
  if (second !== undefined) rows.add(second);
  for (const record of records) rows.add(record);
  if (scikit) return scikitTable(name, first, rows);
  const cells = first.cells.slice(0, rows.width);
  const below = rows.columns(0);
  const head = namesColumns(
    name,
    { ...first, cells },
    below.map((column, at) => ({ ...column, first: !Number.isNaN(read((cells[at] ?? "").trim())) })),
    options,
  );
  if (head.note !== undefined) notes.push(head.note);
  for (const [at, grouped] of rows.grouped) {
    if (grouped)
      notes.push(
        `points in column ${at + 1} are read as standing before fractions; if they group digits: --decimal , --thousands .`,
      );
  }
  if (rows.trailing > 0) {
    const which = rows.trailing === rows.lines.length ? "every row ends" : `${rows.trailing} rows end`;
    notes.push(`${which} with a delimiter: the empty cell after it is left out`);
  }
  if (!head.named) rows.add(first);
  else if (rows.lines.length === 0) throw noRows(name);
  // If it has no names, the first line is an ordinary row: it was read last, but comes first.
  const columns = rows.columns(head.named ? 0 : 1);
  const lines = head.named ? rows.lines : [rows.lines.at(-1) as number, ...rows.lines.slice(0, -1)];
  return {
    name,
    count: lines.length,
    named: head.named,
    columns: columns.map((column, place) => ({
      ...column,
      place,
      name: head.named ? (cells[place] as string).trim() : `column ${place + 1}`,
    })),
    lines,
    notes,
  };
}

/** Whether a line of names is one cell shorter than the rows below, as R's write.table writes it. */
function lacksName(first: CsvRecord, second: CsvRecord | undefined, options: TextOptions) {
  if (second === undefined || options.header === false || second.cells.length !== first.cells.length + 1)
    return false;
  const read = numberReader(options);
  const [name = "", last = ""] = [second.cells[0]?.trim(), second.cells.at(-1)?.trim()];
  // A decimal comma would also split a cell in two: 1,5 is not a row name and a value.
  const isName = Number.isNaN(read(name)) || /^[01]$/.test(name);
  return (
    last !== "" &&
    isName &&
    first.cells.length > 1 &&
    first.cells.every((cell) => Number.isNaN(read(cell.trim())))
  );
}

function next(records: Iterator<CsvRecord>): CsvRecord | undefined {
  const result = records.next();
  return result.done ? undefined : result.value;
}

function checkOptions(name: string, { delimiter = ",", decimal, thousands, comment }: TextOptions): void {
  const wrong = (thing: string, rule: string, received: unknown, remedy: string) =>
    new EspalierError("ARGUMENT", { thing: `${thing} of ${name}`, rule, received, remedy });
  if (delimiter.length !== 1 || '"\r\n'.includes(delimiter))
    throw wrong("delimiter", "must be one character, not a quote or line end", delimiter, 'For example ";".');
  if (thousands !== undefined && (thousands.length !== 1 || /[\d"\r\n+-]/.test(thousands)))
    throw wrong(
      "thousands",
      "must be one character, not a digit, sign or quote",
      thousands,
      'For example ",".',
    );
  if (thousands !== undefined && thousands === (decimal ?? "."))
    throw wrong(
      "thousands",
      "must differ from the decimal separator",
      thousands,
      "Set decimal too (command line: --decimal).",
    );
  if (comment === "") throw wrong("comment", "must not be empty", comment, 'For example "#".');
}

function checkFirst(
  name: string,
  first: CsvRecord,
  second: CsvRecord | undefined,
  leastColumns: number,
): void {
  const width = first.cells.length;
  const [cell = ""] = first.cells;
  const mark = markOf(cell);
  if (mark !== undefined && second !== undefined && second.cells.length !== width) {
    throw new EspalierError("CSV", {
      thing: `${name}, line ${first.line}`,
      rule: "looks like a comment, not like a row",
      received: first.cells.join(","),
      remedy: `Say so: comment (command line: --comment "${mark}"), or skipRows (--skip-rows ${first.line}).`,
    });
  }
  // With commas as delimiters, numbers with decimal commas make several cells below each name.
  const wider = second !== undefined && second.cells.length >= 2;
  if (width >= 2 || (wider && !/[;\t|]/.test(cell))) return;
  const separator = [";", "\t", "|", " "].find((character) => cell.includes(character));
  if (leastColumns < 2 && (separator === undefined || separator === " ")) return;
  const shown = separator === "\t" ? "tab" : `"${separator}"`;
  throw new EspalierError("CSV", {
    thing: name,
    rule: "needs at least two columns: a feature and the label",
    received: cell,
    remedy:
      separator === undefined
        ? "Set delimiter if it is not a comma (command line: --delimiter)."
        : `Cells seem to be separated by ${separator === "\t" ? "tabs" : shown}: set delimiter (command line: --delimiter ${shown}).`,
  });
}

/** The prefix of a comment line in various languages, if the cell starts with one. */
function markOf(cell: string): string | undefined {
  return /^\s*(#|%|\/\/|;|!)/.exec(cell)?.[1];
}

const foreign: readonly (readonly [what: string, start: RegExp])[] = [
  ["HTML or XML", /^\s*<[!?a-z]/i],
  ["JSON", /^\s*(\{\s*"|\[\s*[{[])/],
];

function refuseForeign(name: string, text: string): void {
  const what = foreign.find(([, start]) => start.test(text))?.[0];
  if (what === undefined) return;
  throw new EspalierError("CSV", {
    thing: name,
    rule: `must be rows of cells, but looks like ${what}`,
    received: text.trimStart().split("\n", 1)[0]?.slice(0, 60),
    remedy: "Save the table as CSV.",
  });
}

function noRows(name: string): EspalierError {
  return new EspalierError("EMPTY_DATA", {
    thing: name,
    rule: "needs at least one row of data",
    received: 0,
    remedy: "Check that the file has rows in addition to its column names.",
  });
}

function scikitTable(name: string, first: CsvRecord, rows: RowStore): Table {
  const [stated, , ...classNames] = first.cells;
  if (Number(stated) !== rows.lines.length) {
    throw new EspalierError("CSV", {
      thing: name,
      rule: `its first line states ${stated} rows`,
      received: rows.lines.length,
      remedy:
        "The file is cut off, or that line is not scikit-learn's: set header (command line: --header, --no-header).",
    });
  }
  const columns = rows.columns(0).map((column, place) => ({ ...column, place, name: `column ${place + 1}` }));
  return { name, count: rows.lines.length, named: false, columns, lines: rows.lines, classNames, notes: [] };
}

/** Builds columns row by row: numbers as numbers, so that a large file of them is not kept in memory as text. */
class RowStore {
  readonly width: number;
  /** Number of rows that end with a delimiter although the first line does not. */
  trailing = 0;
  /** Columns in which every point precedes three digits; with semicolons as delimiters it may be grouping digits. */
  readonly grouped = new Map<number, boolean>();
  readonly #watched: boolean;
  readonly lines: number[] = [];
  readonly #name: string;
  readonly #read: (text: string) => number;
  readonly #numbers: Float64Array[];
  readonly #texts: Map<number, string>[];

  constructor(name: string, first: CsvRecord, delimiter: string, options: TextOptions) {
    const head = first.cells.length;
    this.#watched = delimiter === ";" && options.thousands === undefined && options.decimal === undefined;
    this.width = head;
    this.#name = name;
    this.#read = numberReader(options);
    this.#numbers = Array.from({ length: head }, () => new Float64Array(64));
    this.#texts = Array.from({ length: head }, () => new Map());
  }

  add({ line, cells }: CsvRecord): void {
    const { width } = this;
    const cut = cells.length === width + 1 && cells[width]?.trim() === "";
    if (cells.length !== width && !cut) throw this.#ragged(line, cells);
    if (cut) this.trailing++;
    const row = this.lines.length;
    if (row === this.#numbers[0]?.length) this.#grow(row * 2);
    for (let at = 0; at < width; at++) {
      const text = (cells[at] as string).trim();
      const value = this.#read(text);
      if (this.#watched && text.includes("."))
        this.grouped.set(at, this.grouped.get(at) !== false && /^[+-]?[1-9]\d{0,2}\.\d{3}$/.test(text));
      (this.#numbers[at] as Float64Array)[row] = value;
      if (Number.isNaN(value) || isCode(text, value)) (this.#texts[at] as Map<number, string>).set(row, text);
    }
    this.lines.push(line);
  }

  /** The columns; the last `turned` rows come first. */
  columns(turned: 0 | 1): Pick<TableColumn, "numbers" | "texts">[] {
    const count = this.lines.length;
    return this.#numbers.map((numbers, at) => {
      const texts = this.#texts[at] as Map<number, string>;
      if (turned === 0) return { numbers: numbers.subarray(0, count), texts };
      const moved = new Float64Array(count);
      moved.set(numbers.subarray(0, count - 1), 1);
      moved[0] = numbers[count - 1] as number;
      const last = texts.get(count - 1);
      const shifted = [...texts].flatMap(([row, text]) =>
        row === count - 1 ? [] : [[row + 1, text] as const],
      );
      return { numbers: moved, texts: new Map(last === undefined ? shifted : [[0, last], ...shifted]) };
    });
  }

  #grow(size: number): void {
    this.#numbers.forEach((numbers, at) => {
      const larger = new Float64Array(size);
      larger.set(numbers);
      this.#numbers[at] = larger;
    });
  }

  #ragged(line: number, cells: readonly string[]): EspalierError {
    const { width } = this;
    const mark = markOf(cells[0] ?? "");
    return new EspalierError("CSV", {
      thing: `${this.#name}, line ${line}`,
      rule: `must have ${width} ${width === 1 ? "cell" : "cells"}, as the rows before`,
      received: cells.length,
      remedy:
        mark !== undefined
          ? `If it is a comment: comment (command line: --comment "${mark}").`
          : cells.length > width
            ? "A cell that contains a delimiter needs quotes. If there is text before the table, use skipRows (command line: --skip-rows); or set delimiter (--delimiter)."
            : "Correct the line, set delimiter (command line: --delimiter), or, if lines before the table are prose, skipRows (--skip-rows).",
    });
  }
}
