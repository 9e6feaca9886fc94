import { EspalierError } from "../../tensor/errors.ts";
import { columnRemedy, numberRemedy, quoted } from "./cells.ts";
import type { ColumnOptions, MissingRule } from "./options.ts";
import {
  badCell,
  cellKey,
  columnOf,
  isGap,
  isNumeric,
  refuseForeignNumbers,
  rowsOf,
  type Table,
  type TableColumn,
  textRows,
} from "./table.ts";
import { planTarget, type TargetPlan } from "./target.ts";

export interface FeaturePlan {
  readonly kind: "number" | "category";
  readonly column: TableColumn;
}

/** The role of each column of a table. Nothing is learned from the rows yet. */
export interface TablePlan {
  /** The table without dropped rows. */
  readonly table: Table;
  readonly features: readonly FeaturePlan[];
  readonly target: TargetPlan;
  readonly missing: MissingRule;
  /** What was assumed, one sentence each. */
  readonly notes: readonly string[];
}

/** A column with more categories than this is an identifier, unless most rows share theirs. */
const manyCategories = 100;
/** The minimum number of rows for which to look for row numbers and copies of the label. */
const fewRows = 10;

/**
 * Decides which columns are features, of which kind, and what the label is. Throws `CSV` for columns that cannot be
 * features, mix numbers and text, or occur twice; `ARGUMENT` for a column that does not exist.
 */
export function planTable(given: Table, options: ColumnOptions = {}): TablePlan {
  const notes = [...given.notes];
  const chosen = (choices: ColumnOptions["drop"], option: string) =>
    new Set((choices ?? []).map((choice) => columnOf(given, choice, option).place));
  const dropped = chosen(options.drop, "drop");
  const kept = chosen(options.keep, "keep");
  const categories = chosen(options.categories, "categories");
  const left = given.columns.filter(
    (column) => !dropped.has(column.place) && !isEmptyUnnamed(column, given, notes),
  );
  const label = labelOf(given, left, options.label ?? -1);
  if (dropped.has(label.place))
    throw new EspalierError("ARGUMENT", {
      thing: `drop column of ${given.name}`,
      rule: "must not be the label",
      received: label.name,
      remedy: "Choose another label (command line: --label).",
    });
  refuseTwins(given, left, label);
  if (options.label === undefined) checkLast(given, left, label, notes);
  const missing = options.missing ?? "error";
  const features = left.filter((column) => column !== label && !isIndex(given, column, kept, notes));
  if (features.length === 0)
    throw new EspalierError("CSV", {
      thing: given.name,
      rule: "needs at least one feature column in addition to the label",
      received: given.columns.map(({ name }) => name),
      remedy: "Choose another label (command line: --label), or drop fewer columns (--drop).",
    });
  const table = withoutGaps(given, features, label, missing, notes);
  const here = (column: TableColumn) => table.columns[column.place] as TableColumn;
  const target = planTarget(table, here(label), options, notes);
  const planned = features.map((column) =>
    planFeature(table, here(column), categories.has(column.place), notes),
  );
  for (const { column } of planned) refuseCopy(table, column, target.column, kept);
  // Rows are encoded by column name; only columns that are left out may share one.
  const columns = [...planned, target].map(({ column }) => column);
  return { table: { ...table, columns }, features: planned, target, missing, notes };
}

function labelOf(table: Table, left: readonly TableColumn[], choice: string | number): TableColumn {
  if (choice === -1) return left.at(-1) ?? columnOf(table, -1, "label");
  return columnOf(table, choice, "label");
}

const labelNames = /^(y|labels?|class(es)?|targets?|outcome|species)$/i;

/** By default the last column is the label: it must not be row numbers, and another named like a label is noted. */
function checkLast(table: Table, left: readonly TableColumn[], label: TableColumn, notes: string[]): void {
  const called = left.find((column) => table.named && labelNames.test(column.name));
  if (table.count >= fewRows && countsRows(label))
    throw new EspalierError("CSV", {
      thing: `last column ${quoted(label.name)} of ${table.name}`,
      rule: "is taken for the label, but counts the rows",
      received: `${cellKey(label, 0)}, ${cellKey(label, 1)}, ...`,
      remedy: `Say which is the label (command line: --label ${quoted((called ?? left[0] ?? label).name)}), or leave this one out: drop (--drop ${table.named ? quoted(label.name) : label.place}).`,
    });
  if (called !== undefined && called !== label && !labelNames.test(label.name))
    notes.push(
      `the label is ${quoted(label.name)}, the last column; to take ${quoted(called.name)}: --label ${quoted(called.name)}`,
    );
}

function countsRows({ numbers }: TableColumn): boolean {
  const [first = Number.NaN] = numbers;
  return (
    Number.isInteger(first) &&
    Math.abs(first) <= Number.MAX_SAFE_INTEGER &&
    numbers.every((value, row) => value === first + row)
  );
}

function isEmptyUnnamed(column: TableColumn, { count, named }: Table, notes: string[]): boolean {
  if ((named && column.name !== "") || column.texts.size < count) return false;
  for (const text of column.texts.values()) if (text !== "") return false;
  notes.push(`column ${column.place + 1} is empty and has no name: left out`);
  return true;
}

function refuseTwins(table: Table, columns: readonly TableColumn[], label: TableColumn): void {
  if (!table.named) return;
  const seen = new Map<string, TableColumn>();
  for (const column of columns) {
    const twin = seen.get(column.name);
    seen.set(column.name, column);
    if (twin === undefined) continue;
    const leaks = column.name === label.name ? ", and one would give the label away" : "";
    throw new EspalierError("CSV", {
      thing: table.name,
      rule: `columns ${twin.place + 1} and ${column.place + 1} have the same name${leaks}`,
      received: column.name,
      remedy: `Leave one of them out by its index from 0: drop (command line: --drop ${twin === label ? column.place : twin.place}).`,
    });
  }
}

const indexNames = /^(|unnamed: ?\d+|index|id|row|row_?(id|names?|nr|no|num(ber)?)|nr|no\.?|#)$/i;

/** Whether to drop a column of row numbers: if unnamed, or named like one, it is; any other is kept, with a note. */
function isIndex(table: Table, column: TableColumn, kept: ReadonlySet<number>, notes: string[]): boolean {
  if (kept.has(column.place) || table.count < 2) return false;
  const [first = Number.NaN] = column.numbers;
  const counts = countsRows(column);
  const unnamed = table.named && column.name === "";
  if (!counts || (!unnamed && table.count < fewRows)) {
    if (!unnamed) return false;
    throw new EspalierError("CSV", {
      thing: `column ${column.place + 1} of ${table.name}`,
      rule: "has no name and does not count the rows",
      received: `${cellKey(column, 0)}, ${cellKey(column, 1)}, ...`,
      remedy: `Leave it out or keep it by its index from 0: drop or keep (command line: --drop ${column.place}, --keep ${column.place}).`,
    });
  }
  const range = `${first} to ${first + table.count - 1}`;
  const called = table.named && !unnamed ? quoted(column.name) : `column ${column.place + 1}`;
  if (table.named && indexNames.test(column.name) && first <= 1) {
    notes.push(
      `${called}${unnamed ? ", without a name," : ""} counts the rows (${range}): left out; to keep it: --keep ${unnamed ? column.place : called}`,
    );
    return true;
  }
  notes.push(
    `${called} counts the rows (${range}) and is taken as a feature; to leave it out: --drop ${table.named ? called : column.place}`,
  );
  return false;
}

/** Drops rows with gaps as the rule demands: with "drop", in any column; with a fill, in the label. */
function withoutGaps(
  table: Table,
  features: readonly TableColumn[],
  label: TableColumn,
  missing: MissingRule,
  notes: string[],
): Table {
  if (missing === "error") return table;
  const holed = (missing === "drop" ? [...features, label] : [label]).map((column) => ({
    column,
    numeric: isNumeric(column),
  }));
  const rows = Array.from({ length: table.count }, (_, row) => row).filter((row) =>
    holed.every(({ column, numeric }) => !isGap(column, row, numeric)),
  );
  if (rows.length === table.count) return table;
  if (rows.length === 0)
    throw new EspalierError("EMPTY_DATA", {
      thing: table.name,
      rule: `has a gap in each of its ${table.count} rows`,
      received: 0,
      remedy: "Fill gaps (command line: --missing mean), or leave columns out (--drop).",
    });
  const gone = table.count - rows.length;
  notes.push(
    `${gone} of ${table.count} rows ${missing === "drop" ? "with gaps" : "without a label"} left out`,
  );
  return rowsOf(table, rows);
}

function planFeature(table: Table, column: TableColumn, forced: boolean, notes: string[]): FeaturePlan {
  if (forced) return { kind: "category", column };
  const name = quoted(table.named ? column.name : String(column.place));
  const text = textRows(column, true);
  const numbers = column.numbers.reduce((sum, value) => (Number.isNaN(value) ? sum : sum + 1), 0);
  if (numbers > 0 && text.length > 0) {
    const [row] = text as [number];
    throw badCell(
      table,
      column,
      row,
      `must be a number, as ${numbers} of ${table.count} cells of the column are`,
      numberRemedy(cellKey(column, row), columnRemedy(table.named ? column.name : String(column.place))),
    );
  }
  if (numbers > 0) {
    refuseMergers(table, column, name, notes);
    return { kind: "number", column };
  }
  refuseForeignNumbers(table, column, columnRemedy(table.named ? column.name : String(column.place)));
  const gap = textRows(column, false).length === 0;
  if (gap)
    throw badCell(
      table,
      column,
      0,
      "is empty in every row",
      `Fill the gap, or leave the column out: drop (command line: --drop ${name}).`,
    );
  const distinct = new Set(textRows(column, false).map((row) => cellKey(column, row))).size;
  if (distinct > manyCategories ? distinct * 10 > table.count : distinct > 10 && distinct * 2 > table.count) {
    throw new EspalierError("CSV", {
      thing: `column ${name} of ${table.name}`,
      rule: `contains ${distinct} different texts in ${table.count} rows: too many for categories`,
      received: [...column.texts.values()].slice(0, 3),
      remedy: `Leave it out: drop (command line: --drop ${name}); or use it anyway: categories (--categories ${name}), one feature for each.`,
    });
  }
  notes.push(
    `${name} is text: ${distinct} ${distinct === 1 ? "category" : "categories"}, one feature for each`,
  );
  return { kind: "category", column };
}

/** Codes such as "01234", and whole numbers past 2^53, must not become numbers that no longer differ. */
function refuseMergers(table: Table, column: TableColumn, name: string, notes: string[]): void {
  const codes = new Map<number, string>();
  for (const [row, text] of column.texts) {
    const value = column.numbers[row] as number;
    if (!Number.isNaN(value)) codes.set(value, codes.get(value) ?? text);
  }
  if (codes.size === 0) return;
  for (let row = 0; row < table.count; row++) {
    const code = codes.get(column.numbers[row] as number);
    if (code === undefined || code === cellKey(column, row)) continue;
    throw badCell(
      table,
      column,
      row,
      `must not become the same number as ${JSON.stringify(code)}`,
      `Leave the column out: drop (command line: --drop ${name}); or take its cells as texts: categories (--categories ${name}).`,
    );
  }
  notes.push(
    `${name} contains codes such as ${[...codes.values()][0]}, read as numbers; to read them as texts: --categories ${name}; to leave it out: --drop ${name}`,
  );
}

function refuseCopy(table: Table, column: TableColumn, label: TableColumn, kept: ReadonlySet<number>): void {
  if (kept.has(column.place) || table.count < fewRows) return;
  for (let row = 0; row < table.count; row++) if (cellKey(column, row) !== cellKey(label, row)) return;
  if (new Set(Array.from({ length: table.count }, (_, row) => cellKey(label, row))).size < 2) return;
  const name = table.named ? quoted(column.name) : String(column.place);
  throw new EspalierError("CSV", {
    thing: `column ${name} of ${table.name}`,
    rule: "equals the label in every row and would give it away",
    received: column.name,
    remedy: `Leave it out: drop (command line: --drop ${name}); or say that it is a feature: keep (--keep ${name}).`,
  });
}
