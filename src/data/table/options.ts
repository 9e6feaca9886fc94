import type { OptionNames } from "../../tensor/known-options.ts";
/** What to do about a gap: refuse it, drop its row, or fill it with the column's mean, its median, or zero. */
export const missingRules = ["error", "drop", "mean", "median", "zero"] as const;
export type MissingRule = (typeof missingRules)[number];

export const encodings = ["utf-8", "latin1", "utf-16le", "utf-16be"] as const;
export type Encoding = (typeof encodings)[number];

/** How the text of a table is cut into cells and numbers. */
export interface TextOptions {
  /** Names the data in errors and reports; default: the path, or "CSV". */
  readonly name?: string;
  /**
   * What the first line is. `true`: column names. `false`: data. `"sklearn"`: scikit-learn's "rows, columns, class
   * names". `"auto"` (default): scikit-learn's if it fits the data, otherwise names if its cells differ in kind from
   * those below; a doubtful line is refused.
   */
  readonly header?: "auto" | "sklearn" | boolean;
  /** One character; default ",", or the one given by a first line such as "sep=;". */
  readonly delimiter?: string;
  /** Lines to skip at the start; default 0. */
  readonly skipRows?: number;
  /** Lines that start with this are skipped; default: none. */
  readonly comment?: string;
  /** The decimal separator: "." (default) or ",". */
  readonly decimal?: "." | ",";
  /** Minimum number of columns: default 2, a feature and the label; 1 for rows that may have no label. */
  readonly leastColumns?: 1 | 2;
  /** The separator allowed between groups of three digits; default: none. */
  readonly thousands?: string;
}

/** A column by name, or by index (negative counts from the end). */
export type ColumnChoice = string | number;

/** What the columns of a table are for. */
export interface ColumnOptions {
  /** The column of labels or targets; default -1, the last. */
  readonly label?: ColumnChoice;
  /**
   * `"class"`: a class per example. `"number"`: float targets [count, 1], also for 0/1 of a binary loss. `"auto"`
   * (default): by the contents of the column; a doubtful column is refused.
   */
  readonly target?: "class" | "number" | "auto";
  /** The classes in order, for a file that may lack some or must agree with another. */
  readonly classNames?: readonly string[];
  /** Columns to leave out. */
  readonly drop?: readonly ColumnChoice[];
  /** Columns to use as features although they look like row numbers or copies of the label. */
  readonly keep?: readonly ColumnChoice[];
  /** Columns to treat as categories, whatever their contents. */
  readonly categories?: readonly ColumnChoice[];
  /**
   * What to do about gaps; default "error". Fills are learned from the training rows. A row without a label is dropped
   * even if features are filled. In a text column, a gap is a separate category.
   */
  readonly missing?: MissingRule;
}

export type TableOptions = TextOptions & ColumnOptions;

/** Their names, for callers in JavaScript. */
export const tableNames: OptionNames<TextOptions & ColumnOptions> = {
  name: true,
  header: true,
  delimiter: true,
  skipRows: true,
  comment: true,
  decimal: true,
  leastColumns: true,
  thousands: true,
  label: true,
  target: true,
  classNames: true,
  drop: true,
  keep: true,
  categories: true,
  missing: true,
};
