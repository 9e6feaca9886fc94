import type { OptionNames } from "../../tensor/known-options.ts";
/** What stands for a gap: it is refused; its row is left out; or the column's mean, median or zero fills it. */
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
   * names". `"auto"` (default): scikit-learn's where it fits the data, otherwise names where its cells differ in kind from
   * those below; what is doubtful is refused.
   */
  readonly header?: "auto" | "sklearn" | boolean;
  /** One character; default ",", or what a first line "sep=;" says. */
  readonly delimiter?: string;
  /** Lines to pass over at the start; default 0. */
  readonly skipRows?: number;
  /** Lines that start with this are passed over; default: none. */
  readonly comment?: string;
  /** What stands before the fraction of a number: "." (default) or ",". */
  readonly decimal?: "." | ",";
  /** Fewest columns: default 2, a feature and the label; 1 for rows that may have no label. */
  readonly leastColumns?: 1 | 2;
  /** What may stand between groups of three digits; default: nothing may. */
  readonly thousands?: string;
}

/** A column by its name, or by its index (negative from the end). */
export type ColumnChoice = string | number;

/** What the columns of a table are for. */
export interface ColumnOptions {
  /** The column of labels or targets; default -1, the last. */
  readonly label?: ColumnChoice;
  /**
   * `"class"`: a class to an example. `"number"`: float targets [count, 1], also for 0/1 of a binary loss. `"auto"`
   * (default): by what the column holds; what is doubtful is refused.
   */
  readonly target?: "class" | "number" | "auto";
  /** The classes in order, where the file may lack some or must agree with another file. */
  readonly classNames?: readonly string[];
  /** Columns to leave out. */
  readonly drop?: readonly ColumnChoice[];
  /** Columns that are features although they look like row numbers or like copies of the label. */
  readonly keep?: readonly ColumnChoice[];
  /** Columns to take as categories whatever they hold. */
  readonly categories?: readonly ColumnChoice[];
  /**
   * What becomes of gaps: default "error". Fills are learned from the training rows. Whatever fills features, a row without
   * a label is left out. A gap among texts is a category of its own.
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
