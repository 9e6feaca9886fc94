import { EspalierError } from "../tensor/errors.ts";
import { csvClasses, type LabelCells } from "./csv-classes.ts";
import { type CsvHead, readHead } from "./csv-head.ts";
import { cellNumber, isNumber } from "./csv-number.ts";
import { type CsvRecord, csvRecords } from "./csv-records.ts";
import { type Dataset, dataset } from "./dataset.ts";
import { readSource, type Source, sourceName } from "./source.ts";
import { applyStandardiser, type Standardiser, standardiser } from "./standardise.ts";

export interface CsvOptions {
  /** Names the data in errors and reports; default: the path, or "CSV". */
  readonly name?: string;
  /** The column of labels or targets: its name, or its index (negative from the end); default -1, the last. */
  readonly label?: string | number;
  /**
   * What the first line is. `true`: column names. `false`: data. `"sklearn"`: scikit-learn's "rows, columns, class
   * names". `"auto"` (default): scikit-learn's where it fits the data, column names where no cell but the label's is
   * a number, data otherwise.
   */
  readonly header?: "auto" | "sklearn" | boolean;
  /** One character; default ",". */
  readonly delimiter?: string;
  /** Lines to pass over at the start; default 0. */
  readonly skipRows?: number;
  /**
   * `"class"` (default): integer labels. `"number"`: float targets [count, 1], also for 0/1 of a binary loss. `"auto"`:
   * numbers where every label is a number and some have fractions, else classes.
   */
  readonly target?: "class" | "number" | "auto";
  /** The classes in order, where the file may lack some or must agree with another file. */
  readonly classNames?: readonly string[];
  /** `true`: with this file's own statistics; a standardiser: with its. Default: as read. */
  readonly standardise?: boolean | Standardiser;
}

export interface CsvFileOptions extends CsvOptions {
  /** Largest file and largest unpacked size, in bytes; default 256 MiB. */
  readonly maxBytes?: number;
}

const defaultMaxBytes = 2 ** 28;

/** {@link parseCsv} of a file: a path, or bytes of UTF-8; gzip or not. Throws what parsing and reading throw. */
export async function loadCsv(source: Source, options: CsvFileOptions = {}): Promise<Dataset> {
  const name = options.name ?? sourceName(source, "CSV");
  const bytes = await readSource(source, name, options.maxBytes ?? defaultMaxBytes);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    throw new EspalierError("CSV", {
      thing: name,
      rule: "must be UTF-8 text",
      received: utf16 ? "UTF-16" : "other bytes",
      remedy: "Save the file as UTF-8.",
      cause,
    });
  }
  return parseCsv(text, { ...options, name });
}

/**
 * A dataset from CSV text: every column but the label's is a feature. Classes that are integers from 0 stay as
 * they are; any others are numbered in sorted order (numbers by size, text by code unit) and named in `classNames`.
 * Throws `CSV` with the line for a row of another length, with line and column for a cell that is empty or not a
 * number, `EMPTY_DATA` without rows, `LABEL_RANGE` for a class outside `classNames`.
 */
export function parseCsv(text: string, options: CsvOptions = {}): Dataset {
  const { name = "CSV", delimiter = ",", skipRows = 0, target = "class" } = options;
  if (delimiter.length !== 1 || '"\r\n'.includes(delimiter)) {
    throw new EspalierError("ARGUMENT", {
      thing: `delimiter of ${name}`,
      rule: "must be one character, not a quote or line end",
      received: delimiter,
      remedy: 'For example ";".',
    });
  }
  const records = csvRecords(name, text.startsWith("\ufeff") ? text.slice(1) : text, delimiter, skipRows);
  const head = readHead(name, records, options);
  const rows = readRows(name, records, head);
  if (head.rows !== undefined && head.rows !== rows.labels.length) {
    throw new EspalierError("CSV", {
      thing: name,
      rule: `its first line states ${head.rows} rows`,
      received: rows.labels.length,
      remedy: "The file is cut off, or that line is not scikit-learn's: set header.",
    });
  }
  const made = dataset({
    name,
    count: rows.labels.length,
    features: rows.features,
    ...(head.names === undefined ? {} : { featureNames: head.names.toSpliced(head.label, 1) }),
    ...(target === "number" || (target === "auto" && areFractions(rows.labels))
      ? {
          targets: rows.labels.map((cell, at) =>
            cellNumber(name, rows.lines[at]!, head.label, cell, classRemedy),
          ),
        }
      : csvClasses(name, rows, head, options.classNames)),
  });
  if (!options.standardise) return made;
  return applyStandardiser(made, options.standardise === true ? standardiser(made) : options.standardise);
}

const classRemedy =
  'A column of classes needs target "class" (command line: --loss crossEntropy); another column is chosen by label (--label).';

/** Whether labels are numbers to predict: all of them numbers, not all of them whole. */
function areFractions(labels: readonly string[]): boolean {
  return labels.every(isNumber) && !labels.every((label) => Number.isInteger(Number(label)));
}

interface Rows extends LabelCells {
  /** [count, width - 1] */
  readonly features: Float32Array;
}

function readRows(name: string, records: Iterable<CsvRecord>, head: CsvHead): Rows {
  const columns = head.width - 1;
  const labels: string[] = [];
  const lines: number[] = [];
  let features = new Float32Array(columns * 64);
  const add = ({ line, cells }: CsvRecord) => {
    if (cells.length !== head.width) {
      throw new EspalierError("CSV", {
        thing: `${name}, line ${line}`,
        rule: `must have ${head.width} cells, as the rows before`,
        received: cells.length,
        remedy: "Mend the line, or set delimiter (command line: --delimiter).",
      });
    }
    let at = labels.length * columns;
    if (at + columns > features.length) {
      const larger = new Float32Array(features.length * 2);
      larger.set(features);
      features = larger;
    }
    for (let column = 0; column < cells.length; column++) {
      if (column !== head.label) features[at++] = cellNumber(name, line, column, cells[column]!);
    }
    labels.push(cells[head.label]!.trim());
    lines.push(line);
  };
  for (const record of head.data) add(record);
  for (const record of records) add(record);
  return { features: features.slice(0, labels.length * columns), labels, lines };
}
