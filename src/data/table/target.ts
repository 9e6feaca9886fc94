import { EspalierError } from "../../tensor/errors.ts";
import { isCode, numberRemedy, quoted } from "./cells.ts";
import type { ColumnOptions } from "./options.ts";
import {
  badCell,
  cellKey,
  isGap,
  isNumeric,
  refuseForeignNumbers,
  type Table,
  type TableColumn,
  textRows,
} from "./table.ts";

/** The contents of the label column. */
export type TargetPlan =
  | {
      readonly kind: "class";
      readonly column: TableColumn;
      readonly classes: readonly string[];
      readonly counted: boolean;
    }
  | { readonly kind: "number"; readonly column: TableColumn };

/** At most this many consecutive whole numbers are classes. */
const fewClasses = 20;

const labelRemedy =
  'or take the labels for classes: target "class" (command line: --task classification). If this line is no data: --comment with how it starts, --header or --skip-rows. If another column is the label: --label.';

const choices = 'target "class" or "number" (command line: --task classification, --task regression)';

/**
 * Decides whether labels are classes or numbers to predict, unless `target` says. Numbers with fractions, and whole
 * numbers that mostly differ, are predicted; text, up to 20 consecutive whole numbers, and any two values are classes;
 * anything in between is refused. Throws `CSV`.
 */
export function planTarget(
  table: Table,
  column: TableColumn,
  options: Pick<ColumnOptions, "target" | "classNames">,
  notes: string[],
): TargetPlan {
  const numeric = isNumeric(column) && !hasCodes(column);
  const target = options.target ?? "auto";
  if (target === "number") return numberPlan(table, column);
  if (options.classNames !== undefined)
    return { kind: "class", column, classes: options.classNames, counted: false };
  const known = table.classNames;
  if (known !== undefined && numeric) return { kind: "class", column, classes: known, counted: true };
  const keys = distinctKeys(column, table.count, isNumeric(column));
  if (target === "class") return classPlan(column, keys, numeric);
  const rows = table.count;
  const label = quoted(column.name);
  if (!numeric) {
    const text = textRows(column, true);
    const numbers = column.numbers.filter((value) => !Number.isNaN(value)).length;
    if (text.length > 0 && numbers > 0) {
      throw badCell(
        table,
        column,
        text[0] as number,
        `must be a number, as ${numbers} of ${rows} labels are`,
        numberRemedy(cellKey(column, text[0] as number), labelRemedy),
      );
    }
    refuseForeignNumbers(table, column, labelRemedy);
    if (keys.length > fewClasses && keys.length * 2 > rows)
      throw doubtful(
        table,
        column,
        `contains ${keys.length} different texts in ${rows} rows, too many for classes`,
        `Choose another column with label (command line: --label), or set target "class" (--task classification).`,
      );
    const twin = keys.find(
      (key, at) => keys.findIndex((one) => one.toLowerCase() === key.toLowerCase()) < at,
    );
    if (twin !== undefined)
      notes.push(
        `${label} has classes that differ only in upper and lower case, such as ${keys.filter((key) => key.toLowerCase() === twin.toLowerCase()).join(" and ")}`,
      );
    return classPlan(column, keys, false);
  }
  const values = keys.map(Number);
  if (values.some((value) => !Number.isInteger(value))) {
    if (values.length === 1 && rows > 1) throw constant(table, column, values[0] as number);
    notes.push(`${label} has fractions: a regression; for classes: --task classification`);
    return { kind: "number", column };
  }
  const span = (values.at(-1) as number) - (values[0] as number) + 1;
  const inARow = span <= 2 * values.length;
  if (values.length <= 2 || (inARow && (values.length <= fewClasses || values.length * 100 <= rows))) {
    notes.push(
      `${label} has ${values.length} whole numbers (${values[0]} to ${values.at(-1)}): a classification; for numbers to predict: --task regression`,
    );
    return classPlan(column, keys, true);
  }
  if (values.length > fewClasses && values.length * 2 > rows) {
    notes.push(
      `${label} has ${values.length} different whole numbers in ${rows} rows: a regression; for classes: --task classification`,
    );
    return { kind: "number", column };
  }
  const seen = values.length > 6 ? [...values.slice(0, 3), "...", ...values.slice(-2)] : values;
  throw doubtful(
    table,
    column,
    `contains ${values.length} different whole numbers (${seen.join(", ")}), which may be names of classes or numbers to predict`,
    `Say which: ${choices}.`,
  );
}

function constant(table: Table, column: TableColumn, value: number): EspalierError {
  return new EspalierError("CSV", {
    thing: `label column ${quoted(column.name)} of ${table.name}`,
    rule: "contains the same number in every row, so there is nothing to predict",
    received: value,
    remedy: "Choose another column with label (command line: --label).",
  });
}

function doubtful(table: Table, column: TableColumn, rule: string, remedy: string): EspalierError {
  return new EspalierError("CSV", {
    thing: `label column ${quoted(column.name)} of ${table.name}`,
    rule,
    received: `${table.count} rows`,
    remedy,
  });
}

function numberPlan(table: Table, column: TableColumn): TargetPlan {
  const [text] = textRows(column, true);
  if (text === undefined) return { kind: "number", column };
  throw badCell(
    table,
    column,
    text,
    "must be a number that float32 can represent",
    `A column of classes needs target "class" (command line: --task classification, --loss crossEntropy); another column is chosen by label (--label).`,
  );
}

/** Whole numbers from 0 without large gaps are class indices as they are; other labels are numbered in order. */
function classPlan(column: TableColumn, keys: readonly string[], numeric: boolean): TargetPlan {
  const values = numeric ? keys.map(Number) : [];
  const counted =
    numeric &&
    values[0] === 0 &&
    values.every(Number.isInteger) &&
    (values.at(-1) as number) < 2 * values.length;
  const classes = counted
    ? Array.from({ length: (values.at(-1) as number) + 1 }, (_, at) => String(at))
    : keys;
  return { kind: "class", column, classes, counted };
}

function hasCodes({ numbers, texts }: TableColumn): boolean {
  for (const row of texts.keys()) if (!Number.isNaN(numbers[row])) return true;
  return false;
}

/** The distinct cells in order: numbers by size, text by code unit. Gaps are left out. */
function distinctKeys(column: TableColumn, count: number, amongNumbers: boolean): readonly string[] {
  const found = new Map<string, number>();
  for (let row = 0; row < count; row++) {
    if (!isGap(column, row, amongNumbers)) found.set(cellKey(column, row), column.numbers[row] as number);
  }
  const keys = [...found.keys()];
  if ([...found.values()].some(Number.isNaN)) return keys.sort();
  return keys.sort((a, b) => byValue(a, b, found) || (a < b ? -1 : 1));
}

function byValue(a: string, b: string, values: ReadonlyMap<string, number>): number {
  const [x, y] = [values.get(a) as number, values.get(b) as number];
  if (x !== y || !isCode(a, x) || !isCode(b, y)) return x - y;
  const [left, right] = [BigInt(a), BigInt(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}
