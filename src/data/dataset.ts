import { EspalierError } from "../tensor/errors.ts";
import { sizeOf } from "../tensor/tensor.ts";
import { type Column, type ColumnParts, checkColumns, checkRows, pickColumns, pickRows } from "./columns.ts";
import type { Preprocessing } from "./preprocessing/preprocessing.ts";
import { checkedTarget, finiteFloats, pickTarget, type TargetData, type TargetParts } from "./targets.ts";

export { ignoredLabel } from "./targets.ts";

/** Examples in memory: features as row-major float32 rows, targets as integer labels or float rows. */
export interface Dataset extends TargetData {
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
  /** Targets by name, for a model of which several outputs are trained. {@link withTarget} takes one of them. */
  readonly namedTargets?: Readonly<Record<string, TargetData>>;
  /** How features and targets were made from the source, if the loader recorded it. */
  readonly preprocessing?: Preprocessing;
  /** What the loader assumed, one sentence each. */
  readonly notes?: readonly string[];
}

export interface DatasetParts extends TargetParts {
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
  /** For several trained outputs: { species: { labels }, box: { targets, targetDims: [4] } }. */
  readonly namedTargets?: Readonly<Record<string, TargetParts>>;
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
    ...checkedTarget(name, count, parts),
    ...(parts.namedTargets === undefined
      ? {}
      : { namedTargets: checkNamed(name, count, parts.namedTargets) }),
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
  const { inputs, namedTargets } = data;
  return {
    ...data,
    count: indices.length,
    features: pickRows(data.features, sizeOf(data.featureDims), indices),
    ...(inputs === undefined ? {} : { inputs: pickColumns(inputs, indices) }),
    ...pickTarget(data, data.count, indices),
    ...(namedTargets === undefined
      ? {}
      : { namedTargets: mapValues(namedTargets, (target) => pickTarget(target, data.count, indices)) }),
  };
}

/**
 * The same examples with one of their named targets as labels or targets; without a name, unchanged. Throws `ARGUMENT` for
 * a name that the data do not have.
 */
export function withTarget(data: Dataset, name: string | undefined): Dataset {
  if (name === undefined) return data;
  const { labels: _, labelDims: __, classes: ___, classNames: ____, ...unlabeled } = data;
  const { targets: _____, targetDims: ______, namedTargets = {}, ...others } = unlabeled;
  const names = Object.keys(namedTargets);
  const target = names.includes(name) ? namedTargets[name] : undefined;
  if (target !== undefined) return { ...others, ...target };
  throw new EspalierError("ARGUMENT", {
    thing: `data set "${data.name}"`,
    rule: `needs a target called "${name}"`,
    received: names,
    remedy: `Give it as dataset({ namedTargets: { "${name}": { labels } } }), or { targets, targetDims } for numbers.`,
  });
}

function checkNamed(name: string, count: number, given: Readonly<Record<string, TargetParts>>) {
  return Object.fromEntries(
    Object.entries(given).map(([key, parts]) => {
      const thing = `"${key}" of ${name}`;
      if ((parts.labels === undefined) !== (parts.targets === undefined))
        return [key, checkedTarget(thing, count, parts)];
      throw new EspalierError("ARGUMENT", {
        thing: `target ${thing}`,
        rule: "must be either labels or targets",
        received: Object.keys(parts),
        remedy: "Labels are classes, targets are numbers.",
      });
    }),
  );
}

function mapValues<From, To>(record: Readonly<Record<string, From>>, map: (value: From) => To) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
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
  const named = Object.values(parts.namedTargets ?? {}).find((target) => target.labels !== undefined);
  const count =
    parts.count ??
    divided(labels?.length, labelDims) ??
    divided(named?.labels?.length, named?.labelDims ?? []) ??
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
