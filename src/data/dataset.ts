import { EspalierError } from "../tensor/errors.ts";
import { sizeOf } from "../tensor/tensor.ts";
import {
  type Column,
  type ColumnParts,
  checkColumns,
  checkFinite,
  checkRows,
  pickColumns,
  pickRows,
} from "./columns.ts";
import type { Preprocessing } from "./preprocessing/preprocessing.ts";

/** Labels with this value are left out of a loss over positions, as for padding. */
export const ignoredLabel = -100;

/** Examples in memory: features as row-major float32 rows, targets as integer labels or float rows. */
export interface Dataset {
  readonly name: string;
  /** Number of examples, at least 1. */
  readonly count: number;
  /** [count, ...featureDims]; empty if every input of the model has its own column. */
  readonly features: Float32Array;
  /** The shape of one example, such as [64] or [1, 28, 28]; [0] if there are no features. */
  readonly featureDims: readonly number[];
  /** Names of the features, if the source has them. */
  readonly featureNames?: readonly string[];
  /** Columns by the name of the model input that they feed; the features go to the input that has none. */
  readonly inputs?: Readonly<Record<string, Column>>;
  /** [count, ...labelDims], each in 0..classes-1, or -100 for a position to ignore. */
  readonly labels?: Int32Array;
  /** The shape of an example's labels, such as [7] for one per token of seven; absent for one per example. */
  readonly labelDims?: readonly number[];
  /** Number of classes; present with labels. */
  readonly classes?: number;
  /** Names of the classes, if the source has them. */
  readonly classNames?: readonly string[];
  /** [count, ...targetDims], for regression and binary targets */
  readonly targets?: Float32Array;
  readonly targetDims?: readonly number[];
  /** How features and targets were made from the source, if the loader recorded it. */
  readonly preprocessing?: Preprocessing;
  /** What the loader assumed, one sentence each. */
  readonly notes?: readonly string[];
}

export interface DatasetParts {
  /** Names the set in errors and reports; default "data". */
  readonly name?: string;
  /** Default: the number of labels, or of features divided by the size of `featureDims`. */
  readonly count?: number;
  /** Needed unless `inputs` has a column for every input of the model. */
  readonly features?: ArrayLike<number>;
  /** Default: one axis, features / count. */
  readonly featureDims?: readonly number[];
  /** One per number of an example's features. */
  readonly featureNames?: readonly string[];
  /** For models with several inputs: { input_ids: { data: new BigInt64Array(…), dims: [128] }, … }. */
  readonly inputs?: Readonly<Record<string, ColumnParts>>;
  readonly labels?: ArrayLike<number>;
  /** Default: one label per example. */
  readonly labelDims?: readonly number[];
  /** Default: the number of class names, or the largest label plus one. */
  readonly classes?: number;
  readonly classNames?: readonly string[];
  readonly targets?: ArrayLike<number>;
  /** Default: one axis, targets / count. */
  readonly targetDims?: readonly number[];
  /** How features and targets were made from the source. */
  readonly preprocessing?: Preprocessing;
  /** What the loader assumed, one sentence each. */
  readonly notes?: readonly string[];
}

/**
 * A dataset from arrays. A `Float32Array` of features or targets, an `Int32Array` of labels, and columns are kept, not
 * copied. Throws `EMPTY_DATA` if there are no examples, `SHAPE_MISMATCH` if sizes disagree, `LABEL_RANGE` for a label
 * that is not an integer in 0..classes-1, `ARGUMENT` for a value that is not finite.
 */
export function dataset(parts: DatasetParts): Dataset {
  const name = parts.name ?? "data";
  const { features: given = [], inputs = {} } = parts;
  const onlyColumns = given.length === 0 && Object.keys(inputs).length > 0;
  if (given.length === 0 && !onlyColumns) {
    throw new EspalierError("EMPTY_DATA", {
      thing: name,
      rule: "needs at least one example with at least one feature",
      received: given.length,
      remedy: "Pass the rows of all examples in one array, one after another.",
    });
  }
  const count = countOf(name, parts);
  const featureDims = onlyColumns ? [0] : (parts.featureDims ?? [given.length / count]);
  if (!onlyColumns) checkRows(`features of ${name}`, given.length, count, featureDims);
  const features = finiteFloats(`features of ${name}`, given, sizeOf(featureDims));
  const { featureNames } = parts;
  if (featureNames !== undefined) checkRows(`featureNames of ${name}`, featureNames.length, 1, featureDims);
  const made: Dataset = {
    name,
    count,
    features,
    featureDims: [...featureDims],
    ...(featureNames === undefined ? {} : { featureNames: [...featureNames] }),
    ...(parts.preprocessing === undefined ? {} : { preprocessing: parts.preprocessing }),
    ...(parts.notes === undefined || parts.notes.length === 0 ? {} : { notes: [...parts.notes] }),
  };
  return {
    ...made,
    ...(Object.keys(inputs).length === 0 ? {} : { inputs: checkColumns(name, count, inputs) }),
    ...(parts.labels === undefined ? {} : checkedLabels(name, count, parts.labels, parts)),
    ...(parts.targets === undefined ? {} : checkedTargets(name, count, parts.targets, parts.targetDims)),
  };
}

/** The examples at `indices`, in that order, copied. Throws `EMPTY_DATA` for none, `ARGUMENT` outside 0..count-1. */
export function subset(data: Dataset, indices: ArrayLike<number>): Dataset {
  if (indices.length === 0) {
    throw new EspalierError("EMPTY_DATA", { thing: data.name, rule: "a subset needs at least one example" });
  }
  for (let at = 0; at < indices.length; at++) {
    const index = indices[at] as number;
    if (Number.isInteger(index) && index >= 0 && index < data.count) continue;
    throw new EspalierError("ARGUMENT", {
      thing: `index ${at} of a subset of ${data.name}`,
      rule: `must be an integer in 0..${data.count - 1}`,
      received: index,
    });
  }
  const { inputs, labels, targets } = data;
  return {
    ...data,
    count: indices.length,
    features: pickRows(data.features, sizeOf(data.featureDims), indices),
    ...(inputs === undefined ? {} : { inputs: pickColumns(inputs, indices) }),
    ...(labels === undefined ? {} : { labels: pickRows(labels, labels.length / data.count, indices) }),
    ...(targets === undefined ? {} : { targets: pickRows(targets, targets.length / data.count, indices) }),
  };
}

/** The same examples in another shape of the same size, such as [1, 8, 8] instead of [64]. Shares the features. */
export function reshapeFeatures(data: Dataset, featureDims: readonly number[]): Dataset {
  checkRows(`features of ${data.name}`, data.features.length, data.count, featureDims);
  return { ...data, featureDims: [...featureDims] };
}

function countOf(name: string, parts: DatasetParts): number {
  const { features = [], featureDims, labels, labelDims = [] } = parts;
  const divided = (length: number | undefined, dims: readonly number[] | undefined) =>
    length === undefined || dims === undefined ? undefined : length / sizeOf(dims);
  const column = Object.values(parts.inputs ?? {}).find(({ dims }) => dims !== undefined);
  const count =
    parts.count ??
    divided(labels?.length, labelDims) ??
    divided(features.length || undefined, featureDims) ??
    divided(column?.data.length, column?.dims);
  if (count === undefined) {
    throw new EspalierError("ARGUMENT", {
      thing: name,
      rule: "needs count, labels or featureDims, which say how long one example is",
      remedy: "For example featureDims: [4] for rows of four features.",
    });
  }
  if (count === 0) {
    throw new EspalierError("EMPTY_DATA", {
      thing: name,
      rule: "needs at least one example",
      received: 0,
      remedy: "Check the source of the examples.",
    });
  }
  if (!Number.isInteger(count) || count < 0) {
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: name,
      rule: "must contain a whole number of examples",
      received: count,
      remedy: "Check featureDims: their product must divide the number of features.",
    });
  }
  return count;
}

function finiteFloats(thing: string, values: ArrayLike<number>, rowSize: number): Float32Array {
  const floats = values instanceof Float32Array ? values : Float32Array.from(values);
  checkFinite(thing, floats, values, rowSize);
  return floats;
}

function checkedLabels(
  name: string,
  count: number,
  values: ArrayLike<number>,
  {
    classNames,
    classes = classNames?.length,
    labelDims = [],
  }: Pick<DatasetParts, "classes" | "classNames" | "labelDims">,
): Pick<Dataset, "labels" | "labelDims" | "classes" | "classNames"> {
  if (labelDims.length > 0) checkRows(`labels of ${name}`, values.length, count, labelDims);
  else if (values.length !== count) {
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: `labels of ${name}`,
      rule: `needs one label for each of ${count} examples`,
      received: values.length,
      remedy: "Check that features and labels belong to the same examples.",
    });
  }
  if (classes !== undefined && !(Number.isInteger(classes) && classes > 0)) {
    throw new EspalierError("ARGUMENT", {
      thing: `classes of ${name}`,
      rule: "must be a positive integer",
      received: classes,
      remedy: "Omit it to have the classes counted.",
    });
  }
  if (classNames !== undefined && classNames.length !== classes) {
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: `classNames of ${name}`,
      rule: `needs one name for each of ${classes} classes`,
      received: classNames.length,
      remedy: "Name every class, or leave classes out.",
    });
  }
  // If the number of classes is not given, any value of an Int32Array is a class.
  const bound = classes ?? 2 ** 31 - 1;
  let largest = 0;
  const perExample = sizeOf(labelDims);
  for (let at = 0; at < values.length; at++) {
    const label = values[at] as number;
    if (labelDims.length > 0 && label === ignoredLabel) continue;
    if (!Number.isInteger(label) || label < 0 || label >= bound) {
      throw new EspalierError("LABEL_RANGE", {
        thing: `label of example ${Math.floor(at / perExample)} of ${name}`,
        rule: `must be an integer in 0..${bound - 1}`,
        received: label,
        remedy: "Number the classes from 0, and give as many classes as there are.",
      });
    }
    largest = Math.max(largest, label);
  }
  return {
    labels: values instanceof Int32Array ? values : Int32Array.from(values),
    ...(labelDims.length === 0 ? {} : { labelDims: [...labelDims] }),
    classes: classes ?? largest + 1,
    ...(classNames === undefined ? {} : { classNames: [...classNames] }),
  };
}

function checkedTargets(
  name: string,
  count: number,
  values: ArrayLike<number>,
  dims: readonly number[] = [values.length / count],
): Required<Pick<Dataset, "targets" | "targetDims">> {
  checkRows(`targets of ${name}`, values.length, count, dims);
  return { targets: finiteFloats(`targets of ${name}`, values, sizeOf(dims)), targetDims: [...dims] };
}
