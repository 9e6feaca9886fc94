/**
 * How raw rows (or pixels) are transformed before a network sees them, and what its outputs mean. Plain data, learned
 * from the training part alone; stored with a model, so that other rows are read the same way.
 * {@link readPreprocessing} reads it from JSON.
 */
export interface Preprocessing {
  readonly version: 1;
  readonly features: TableFeatures | ImageFeatures;
  /** Absent if the source names no label. */
  readonly target?: Target;
}

/** Features from the columns of a table, in the order of `columns`. */
export interface TableFeatures {
  readonly kind: "table";
  /** Whether the table names its columns. If not, they are "column 1", "column 2", ... by position in the file. */
  readonly named: boolean;
  readonly columns: readonly FeatureColumn[];
}

export type FeatureColumn = NumberColumn | CategoryColumn;

/** One feature: (value - mean) / deviation, computed in double precision. Mean 0 and deviation 1 leave it unchanged. */
export interface NumberColumn extends Scale {
  readonly kind: "number";
  readonly name: string;
  /** The value that replaces a missing one, in the column's own units; without it a gap is refused. */
  readonly missing?: number;
}

/** One feature per category: 1 for the cell's own, 0 for the others. An unlisted category is all zeros. */
export interface CategoryColumn {
  readonly kind: "category";
  readonly name: string;
  readonly categories: readonly string[];
  /** The category that a missing value counts as; without it a gap is refused. */
  readonly missing?: string;
}

/** Features from pixels: pixel / divisor, then (value - mean) / deviation for each, if these are given. */
export interface ImageFeatures {
  readonly kind: "image";
  /** The shape of an example as the network gets it, such as [1, 28, 28]. */
  readonly dims: readonly number[];
  /** 255 for bytes; 1 leaves pixels unchanged. */
  readonly divisor: number;
  /** Present if the file's axes were reordered: "hwc" if examples [height, width, channels] became channels first. */
  readonly axes?: "hwc";
  /** One per value of an example. */
  readonly scales?: readonly Scale[];
}

/** What is subtracted, and what the difference is divided by (above zero). */
export interface Scale {
  readonly mean: number;
  readonly deviation: number;
}

export type Target = ClassTarget | NumberTarget;

/** Output i is the logit of class `classes[i]`, spelled as in the file: "setosa", or "3". */
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

/** Names of the features that the network sees: a column's name, or "column=category". */
export function featureNames({ columns }: TableFeatures): readonly string[] {
  return columns.flatMap((column) =>
    column.kind === "number"
      ? [column.name]
      : column.categories.map((category) => `${column.name}=${category}`),
  );
}

/**
 * Whether float32 is too coarse for values of this mean and deviation: it would round them by more than 2⁻¹⁰ of the
 * deviation. An example is times in seconds since 1970 that are an hour apart.
 */
export function isWide({ mean, deviation }: Scale): boolean {
  return Math.abs(mean) > 2 ** 14 * deviation;
}

/** The number columns that raw rows must give as float64, since float32 would merge values that differ once scaled. */
export function wideColumns({ columns }: TableFeatures): readonly NumberColumn[] {
  return columns.filter((column) => column.kind === "number").filter(isWide);
}
