import { EspalierError } from "../../tensor/errors.ts";
import { didYouMean, nearest } from "../../tensor/unknown-name.ts";
import { type Dataset, dataset } from "../dataset.ts";
import {
  type CategoryColumn,
  type ClassTarget,
  type FeatureColumn,
  featureNames,
  type NumberColumn,
  type NumberTarget,
  type Preprocessing,
} from "../preprocessing/preprocessing.ts";
import { columnRemedy, numberRemedy, quoted } from "./cells.ts";
import { badCell, cellKey, isGap, place, type Table, type TableColumn } from "./table.ts";

export interface EncodeOptions {
  /** The rows to read, in this order; default: all. */
  readonly rows?: ArrayLike<number>;
  /** Whether the label column is read too; default true. */
  readonly target?: boolean;
}

/**
 * Encodes the rows of a table according to a record: columns are found by name, in any order, and others are ignored.
 * Throws `SHAPE_MISMATCH` for a missing column; with line and column, `CSV` for a gap without a fill and for a cell
 * that is not a number, and `LABEL_RANGE` for a class that the record does not know.
 */
export function encodeTable(table: Table, record: Preprocessing, options: EncodeOptions = {}): Dataset {
  const { features } = record;
  if (features.kind !== "table") {
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: table.name,
      rule: `must be images of shape [${features.dims.join(", ")}], which the model was trained on`,
      received: "a table",
    });
  }
  const rows = options.rows ?? Uint32Array.from({ length: table.count }, (_, row) => row);
  const find = columnFinder(table, record);
  const parts = features.columns.map((column) => ({ column, from: find(column.name) }));
  const width = parts.reduce((sum, { column }) => sum + widthOf(column), 0);
  const values = new Float32Array(rows.length * width);
  let at = 0;
  for (const { column, from } of parts) {
    if (column.kind === "number") encodeNumbers(table, from, column, rows, values, at, width);
    else encodeCategories(table, from, column, rows, values, at, width);
    at += widthOf(column);
  }
  return dataset({
    name: table.name,
    count: rows.length,
    features: values,
    ...(features.named ? { featureNames: featureNames(features) } : {}),
    preprocessing: record,
    ...(options.target === false ? {} : encodeTarget(table, record, rows)),
  });
}

/** Labels or targets of the rows at `rows`; neither if the record has no target. Throws as {@link encodeTable} does. */
export function encodeTarget(
  table: Table,
  record: Preprocessing,
  rows: ArrayLike<number>,
): Pick<Dataset, "labels" | "classes" | "classNames" | "targets"> {
  const { target } = record;
  if (target === undefined) return {};
  const from = columnFinder(table, record)(target.name);
  if (target.kind === "class") return encodeClasses(table, from, target, rows);
  return { targets: encodeTargets(table, from, target, rows) };
}

function widthOf(column: FeatureColumn): number {
  return column.kind === "number" ? 1 : column.categories.length;
}

function columnFinder(table: Table, { features, target }: Preprocessing): (name: string) => TableColumn {
  if (features.kind === "table" && features.named && !table.named) {
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: table.name,
      rule: "must name its columns, by which the model finds them",
      received: "rows without names",
      remedy: `Write a first line with ${[...features.columns, ...(target === undefined ? [] : [target])].map(({ name }) => name).join(", ")}, or, if the first line is one: header (command line: --header).`,
    });
  }
  return (name) => {
    const found = table.columns.filter((column) => column.name === name);
    if (found.length === 1) return found[0] as TableColumn;
    const meant = nearest(
      name,
      table.columns.map((column) => column.name),
    );
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: table.name,
      rule: `must have ${found.length > 1 ? "one column only" : "a column"} called ${quoted(name)}, which the model was trained with`,
      received: table.columns.slice(0, 20).map((column) => column.name),
      remedy:
        found.length === 0 && meant !== undefined
          ? `Is ${quoted(meant)} that column? Name the columns as in the training data.`
          : "Name the columns as in the training data.",
    });
  };
}

function encodeNumbers(
  table: Table,
  from: TableColumn,
  { mean, deviation, missing }: NumberColumn,
  rows: ArrayLike<number>,
  into: Float32Array,
  offset: number,
  stride: number,
): void {
  let largest = 0;
  for (let at = 0; at < rows.length; at++) {
    const value = numberIn(table, from, rows[at] as number, missing);
    largest = Math.max(largest, Math.abs(value));
    into[offset + at * stride] = (value - mean) / deviation;
  }
  if (largest > 2 ** 24) refuseLoss(table, from, rows, (at) => into[offset + at * stride] as number);
}

/** Different whole numbers above 2^24 that float32 would merge. Fractions are rounded as usual. */
function refuseLoss(
  table: Table,
  from: TableColumn,
  rows: ArrayLike<number>,
  made: (at: number) => number,
): void {
  const seen = new Map<number, number>();
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number;
    const value = from.numbers[row] as number;
    if (Number.isNaN(value)) continue;
    if (!Number.isInteger(value)) return;
    const known = seen.get(made(at));
    seen.set(made(at), value);
    if (known === undefined || known === value) continue;
    const name = table.named ? quoted(from.name) : String(from.place);
    throw new EspalierError("CSV", {
      thing: place(table, from, row),
      rule: `must differ from ${known} as a float32, which represents every whole number up to 16,777,216`,
      received: cellKey(from, row),
      remedy: `Scale the features: standardize (command line: --standardize); or leave the column out: drop (--drop ${name}).`,
    });
  }
}

const targetRemedy =
  "or, if it is right, give the labels in a larger unit, below 3.4e38. If another column is the label: label (command line: --label).";

/** The number in a cell, or the fill for a gap. */
function numberIn(
  table: Table,
  column: TableColumn,
  row: number,
  missing: number | undefined,
  otherwise = columnRemedy(table.named ? column.name : String(column.place)),
): number {
  const value = column.numbers[row] as number;
  if (Number.isFinite(Math.fround(value))) return value;
  if (!isGap(column, row, true))
    throw badCell(
      table,
      column,
      row,
      "must be a number that float32 can represent",
      numberRemedy(cellKey(column, row), otherwise),
    );
  if (missing !== undefined) return missing;
  throw gapIn(table, column, row, "must be a number that float32 can represent");
}

function gapIn(table: Table, column: TableColumn, row: number, rule: string): EspalierError {
  return badCell(
    table,
    column,
    row,
    rule,
    "Fill the gap, leave such rows out, or have gaps filled: missing (command line: --missing drop, or mean, median, zero).",
  );
}

function encodeCategories(
  table: Table,
  from: TableColumn,
  { categories, missing }: CategoryColumn,
  rows: ArrayLike<number>,
  into: Float32Array,
  offset: number,
  stride: number,
): void {
  const places = new Map(categories.map((category, at) => [category, at]));
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number;
    const gap = isGap(from, row, false);
    if (gap && missing === undefined) throw gapIn(table, from, row, "must contain a category");
    const found = places.get(gap ? (missing as string) : cellKey(from, row));
    if (found !== undefined) into[offset + at * stride + found] = 1;
  }
}

function encodeClasses(table: Table, from: TableColumn, { classes }: ClassTarget, rows: ArrayLike<number>) {
  const places = new Map(classes.map((name, at) => [name, at]));
  const counted = classes.every((name, at) => name === String(at));
  const numbered = !classes.some((name) => /^[+-]?[\d.]/.test(name));
  const labels = Int32Array.from(rows, (row) => {
    const key = cellKey(from, row);
    // If classes have names, numbers are their indices, as in scikit-learn's files.
    const found = places.get(key) ?? (numbered && /^\d+$/.test(key) ? Number(key) : -1);
    if (found >= 0 && found < classes.length) return found;
    if (isGap(from, row, numbered === false))
      throw badCell(
        table,
        from,
        row,
        "must contain a class",
        "Leave rows without a label out: missing (command line: --missing drop).",
      );
    const meant = counted ? undefined : didYouMean(key, classes);
    throw new EspalierError("LABEL_RANGE", {
      thing: place(table, from, row),
      rule: `must be one of ${classes.slice(0, 20).join(", ")}${numbered ? `, or of 0..${classes.length - 1}` : ""}`,
      received: key,
      remedy: [
        ...(meant === undefined ? [] : [meant]),
        "Name every class: classNames; or train a model that knows this one.",
      ].join(" "),
    });
  });
  return counted ? { labels, classes: classes.length } : { labels, classNames: classes };
}

function encodeTargets(
  table: Table,
  from: TableColumn,
  { mean, deviation }: NumberTarget,
  rows: ArrayLike<number>,
) {
  return Float32Array.from(
    rows,
    (row) => (numberIn(table, from, row, undefined, targetRemedy) - mean) / deviation,
  );
}
