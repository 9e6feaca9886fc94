/**
 * What becomes of raw rows (or pixels) before a network sees them, and what its outputs mean. Plain data, learned from the
 * training part alone; kept with a model, it reads other rows the same way. JSON of it is {@link readPreprocessing}'s.
 */
export interface Preprocessing {
  readonly version: 1;
  readonly features: TableFeatures | ImageFeatures;
  /** Absent where the source names no label. */
  readonly target?: Target;
}

/** Features from the columns of a table, in the order of `columns`. */
export interface TableFeatures {
  readonly kind: "table";
  /** Whether the table names its columns. If not, they are called "column 1", "column 2", ... by their place in the file. */
  readonly named: boolean;
  readonly columns: readonly FeatureColumn[];
}

export type FeatureColumn = NumberColumn | CategoryColumn;

/** One feature: (value - mean) / deviation, computed in double precision. Mean 0 and deviation 1 leave it as it is. */
export interface NumberColumn extends Scale {
  readonly kind: "number";
  readonly name: string;
  /** What stands for a missing value, in the column's own units; without it a gap is refused. */
  readonly missing?: number;
}

/** One feature per category: 1 for the cell's own, 0 for the others. A category that is not listed has zeros throughout. */
export interface CategoryColumn {
  readonly kind: "category";
  readonly name: string;
  readonly categories: readonly string[];
  /** The one of `categories` that a missing value belongs to; without it a gap is refused. */
  readonly missing?: string;
}

/** Features from pixels: pixel / divisor, then (value - mean) / deviation for each where these are given. */
export interface ImageFeatures {
  readonly kind: "image";
  /** The shape of an example that the network was given, such as [1, 28, 28]. */
  readonly dims: readonly number[];
  /** 255 for bytes; 1 leaves pixels as they are. */
  readonly divisor: number;
  /** Where the file's axes were put into another order: "hwc" for examples [height, width, channels] that became channels first. */
  readonly axes?: "hwc";
  /** One for each value of an example. */
  readonly scales?: readonly Scale[];
}

/** What is subtracted, and what the rest is divided by (above zero). */
export interface Scale {
  readonly mean: number;
  readonly deviation: number;
}

export type Target = ClassTarget | NumberTarget;

/** Output i is the logit of the class `classes[i]`, which is how the file writes it: "setosa", or "3". */
export interface ClassTarget {
  readonly kind: "class";
  /** The label column. */
  readonly name: string;
  readonly classes: readonly string[];
}

/** value = output × deviation + mean, in the units of the label column. */
export interface NumberTarget extends Scale {
  readonly kind: "number";
  readonly name: string;
}

/** What each feature that the network sees is called: a column's name, or "column=category". */
export function featureNames({ columns }: TableFeatures): readonly string[] {
  return columns.flatMap((column) =>
    column.kind === "number"
      ? [column.name]
      : column.categories.map((category) => `${column.name}=${category}`),
  );
}

/**
 * Whether float32 is too coarse for values of this mean and deviation: it would round them by more than 2⁻¹⁰ of the deviation.
 * Such are times in seconds since 1970 that lie an hour apart.
 */
export function isWide({ mean, deviation }: Scale): boolean {
  return Math.abs(mean) > 2 ** 14 * deviation;
}

/** The number columns that raw rows must hold as float64, since float32 would merge what the scaled features tell apart. */
export function wideColumns({ columns }: TableFeatures): readonly NumberColumn[] {
  return columns.filter((column) => column.kind === "number").filter(isWide);
}
