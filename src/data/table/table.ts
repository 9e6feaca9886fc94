import { EspalierError } from "../../tensor/errors.ts";
import { isForeignNumber, isMissing, numberRemedy, quoted } from "./cells.ts";
import type { ColumnChoice } from "./options.ts";

/** Rows and columns of a file, before their roles are decided. */
export interface Table {
  readonly name: string;
  /** Number of rows, at least 1. */
  readonly count: number;
  /** Whether the file names its columns; otherwise they are "column 1", "column 2", ... */
  readonly named: boolean;
  readonly columns: readonly TableColumn[];
  /** The line of the file that each row starts on, from 1. */
  readonly lines: readonly number[];
  /** Names of the classes 0, 1, ...: scikit-learn's first line only. */
  readonly classNames?: readonly string[];
  /** What was assumed, a sentence each. */
  readonly notes: readonly string[];
}

export interface TableColumn {
  readonly name: string;
  /** Its index in the file, from 0. */
  readonly place: number;
  /** [count]: the numbers, NaN for a cell that is not one. */
  readonly numbers: Float64Array;
  /** Cells by row, trimmed: those that are not numbers, and those whose text says more than their value ("01234"). */
  readonly texts: ReadonlyMap<number, string>;
}

/** A cell's identity: "3" for 3, 3.0 and +3; the text of anything that is not a plain number. */
export function cellKey({ numbers, texts }: TableColumn, row: number): string {
  return texts.get(row) ?? String(numbers[row]);
}

/** Whether a row has a gap in a column. */
export function isGap({ numbers, texts }: TableColumn, row: number, amongNumbers: boolean): boolean {
  return Number.isNaN(numbers[row]) && isMissing(texts.get(row) ?? "", amongNumbers);
}

/** Rows whose cell is text: neither a number nor a gap. */
export function textRows(column: TableColumn, amongNumbers: boolean): readonly number[] {
  return [...column.texts.keys()].filter(
    (row) => Number.isNaN(column.numbers[row]) && !isGap(column, row, amongNumbers),
  );
}

/** Whether there are numbers, and nothing but numbers and gaps. */
export function isNumeric(column: TableColumn): boolean {
  return textRows(column, true).length === 0 && column.numbers.some((value) => !Number.isNaN(value));
}

/** `CSV`, about a cell. */
export function badCell(
  table: Table,
  column: TableColumn,
  row: number,
  rule: string,
  remedy: string,
): EspalierError {
  return new EspalierError("CSV", {
    thing: place(table, column, row),
    rule,
    received: cellKey(column, row),
    remedy,
  });
}

/** "house.csv, line 3, column 2 (area)" */
export function place(table: Table, column: TableColumn, row: number): string {
  const name = table.named ? ` (${column.name})` : "";
  return `${table.name}, line ${table.lines[row]}, column ${column.place + 1}${name}`;
}

/** Throws `CSV` for a column whose cells are all numbers in another notation: as text they would lose their order. */
export function refuseForeignNumbers(table: Table, column: TableColumn, otherwise: string): void {
  const rows = textRows(column, true);
  const [row] = rows;
  if (row === undefined || !rows.every((at) => isForeignNumber(cellKey(column, at)))) return;
  throw badCell(table, column, row, "must be a number", numberRemedy(cellKey(column, row), otherwise));
}

/** The column with a name or index. Throws `ARGUMENT`; `option` is the option that chose it, such as "label". */
export function columnOf(table: Table, choice: ColumnChoice, option: string): TableColumn {
  const { columns, name, named } = table;
  const found = columns.filter((column) =>
    typeof choice === "string"
      ? column.name === choice
      : column.place === (choice < 0 ? columns.length + choice : choice),
  );
  const [only, ...more] = found;
  if (only !== undefined && more.length === 0) return only;
  if (only !== undefined) {
    throw new EspalierError("ARGUMENT", {
      thing: `${option} column of ${name}`,
      rule: `several columns are called ${quoted(only.name)}: ${found.map(({ place }) => place + 1).join(", ")}`,
      received: choice,
      remedy: `Give its index from 0: ${option} (command line: --${option} ${only.place}).`,
    });
  }
  throw new EspalierError("ARGUMENT", {
    thing: `${option} column of ${name}`,
    rule:
      typeof choice === "number"
        ? `must be an index of one of ${columns.length} columns`
        : named
          ? `must be one of ${columns
              .slice(0, 20)
              .map((column) => column.name)
              .join(", ")}`
          : "must be an index: the file names no columns",
    received: choice,
    remedy: `Give a column's name or its index: ${option} (command line: --${option}).`,
  });
}

/** The same table with some of its rows. */
export function rowsOf(table: Table, rows: readonly number[]): Table {
  if (rows.length === table.count) return table;
  const columns = table.columns.map((column) => {
    const texts = new Map<number, string>();
    rows.forEach((row, at) => {
      const text = column.texts.get(row);
      if (text !== undefined) texts.set(at, text);
    });
    return { ...column, numbers: Float64Array.from(rows, (row) => column.numbers[row] as number), texts };
  });
  return { ...table, count: rows.length, columns, lines: rows.map((row) => table.lines[row] as number) };
}
