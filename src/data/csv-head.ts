import { EspalierError } from "../tensor/errors.ts";
import type { CsvOptions } from "./csv.ts";
import { isNumber } from "./csv-number.ts";
import type { CsvRecord } from "./csv-records.ts";

/** What the first lines of a CSV file tell about the rest. */
export interface CsvHead {
  /** Cells of each row. */
  readonly width: number;
  /** Index of the label column. */
  readonly label: number;
  /** What the file calls its columns, where it does. */
  readonly names?: readonly string[];
  /** Rows that were read to find out, and are data. */
  readonly data: readonly CsvRecord[];
  /** Stated number of rows, and names of the classes 0, 1, ...: scikit-learn's first line only. */
  readonly rows?: number;
  readonly classNames?: readonly string[];
}

/** Takes one or two records and decides what they are. Throws `EMPTY_DATA`, `CSV`, `ARGUMENT`. */
export function readHead(
  name: string,
  records: Iterator<CsvRecord>,
  { header = "auto", label = -1 }: Pick<CsvOptions, "header" | "label">,
): CsvHead {
  const first = take(records);
  if (first === undefined) throw noRows(name);
  if (header === false) return { ...shape(name, first.cells, label, undefined), data: [first] };
  const second = take(records);
  if (header !== true && second !== undefined && isScikitLine(first, second)) {
    const made = shape(name, second.cells, label, undefined);
    const [rows, , ...classNames] = first.cells;
    const named = made.label === made.width - 1 ? { classNames } : {};
    return { ...made, ...named, rows: Number(rows), data: [second] };
  }
  if (header === "sklearn") {
    throw new EspalierError("CSV", {
      thing: `${name}, line ${first.line}`,
      rule: "must state rows, columns and class names, as scikit-learn's files do",
      received: first.cells.slice(0, 8).join(","),
      remedy: "Leave header out to have it found.",
    });
  }
  // A first line that mixes names and numbers is taken for data, so that one bad cell is reported, not lost.
  const asText = shape(name, first.cells, typeof label === "string" ? -1 : label, undefined).label;
  const isNames =
    header === true ||
    typeof label === "string" ||
    first.cells.every((cell, column) => column === asText || !isNumber(cell));
  if (!isNames) {
    const data = second === undefined ? [first] : [first, second];
    return { ...shape(name, first.cells, label, undefined), data };
  }
  if (second === undefined) throw noRows(name);
  const names = first.cells.map((cell) => cell.trim());
  return { ...shape(name, first.cells, label, names), names, data: [second] };
}

function take(records: Iterator<CsvRecord>): CsvRecord | undefined {
  const next = records.next();
  return next.done ? undefined : next.value;
}

function noRows(name: string): EspalierError {
  return new EspalierError("EMPTY_DATA", {
    thing: name,
    rule: "needs at least one row of data",
    received: 0,
    remedy: "Check that the file has rows, below its column names if it has these.",
  });
}

/** scikit-learn's "569,30,malignant,benign" over rows of 30 features and a label. */
function isScikitLine({ cells }: CsvRecord, second: CsvRecord): boolean {
  const [rows = "", columns = "", ...classNames] = cells;
  return (
    /^\d+$/.test(rows) &&
    /^\d+$/.test(columns) &&
    Number(columns) + 1 === second.cells.length &&
    classNames.length > 0 &&
    !classNames.some(isNumber)
  );
}

function shape(
  name: string,
  cells: readonly string[],
  label: string | number,
  names: readonly string[] | undefined,
): Pick<CsvHead, "width" | "label"> {
  const width = cells.length;
  if (width < 2) {
    const [cell = ""] = cells;
    const other = [";", "\t", "|", " "].find((character) => cell.includes(character));
    throw new EspalierError("CSV", {
      thing: name,
      rule: "needs at least two columns: a feature and the label",
      received: cells.join(","),
      remedy:
        other === undefined
          ? "Set delimiter if it is not a comma (command line: --delimiter)."
          : `Cells seem to be separated by ${other === "\t" ? "tabs" : `"${other}"`}: set delimiter (command line: --delimiter ${other === "\t" ? "tab" : `"${other}"`}).`,
    });
  }
  const index =
    typeof label === "number" ? (label < 0 ? width + label : label) : (names?.indexOf(label) ?? -1);
  if (Number.isInteger(index) && index >= 0 && index < width) return { width, label: index };
  throw new EspalierError("ARGUMENT", {
    thing: `label column of ${name}`,
    rule:
      typeof label === "number"
        ? `must be an index of one of ${width} columns`
        : names === undefined
          ? "must be an index: the file names no columns"
          : `must be one of ${names.slice(0, 20).join(", ")}`,
    received: label,
    remedy: "Give a column's name or its index: label (command line: --label).",
  });
}
