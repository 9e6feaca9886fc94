import { EspalierError } from "../tensor/errors.ts";
import { sizeOf } from "../tensor/tensor.ts";

/** Examples held in memory: features as row-major float32 rows, targets as integer labels or float rows. */
export interface Dataset {
  readonly name: string;
  /** Number of examples, at least 1. */
  readonly count: number;
  /** [count, ...featureDims] */
  readonly features: Float32Array;
  /** The shape of one example, such as [64] or [1, 28, 28]. */
  readonly featureDims: readonly number[];
  /** [count], each in 0..classes-1 */
  readonly labels?: Int32Array;
  /** Number of classes; present with labels. */
  readonly classes?: number;
  /** What each class is called, where the source says. */
  readonly classNames?: readonly string[];
  /** [count, ...targetDims], for regression and binary targets */
  readonly targets?: Float32Array;
  readonly targetDims?: readonly number[];
}

export interface DatasetParts {
  /** Names the set in errors and reports; default "data". */
  readonly name?: string;
  /** Default: the number of labels, or the features that `featureDims` divides. */
  readonly count?: number;
  readonly features: ArrayLike<number>;
  /** Default: one axis, features / count. */
  readonly featureDims?: readonly number[];
  readonly labels?: ArrayLike<number>;
  /** Default: the number of class names, or the largest label plus one. */
  readonly classes?: number;
  readonly classNames?: readonly string[];
  readonly targets?: ArrayLike<number>;
  /** Default: one axis, targets / count. */
  readonly targetDims?: readonly number[];
}

/**
 * A dataset from arrays. A `Float32Array` of features or targets and an `Int32Array` of labels are kept, not copied.
 * Throws `EMPTY_DATA` without examples, `SHAPE_MISMATCH` where sizes disagree, `LABEL_RANGE` for a label
 * that is not an integer in 0..classes-1, `ARGUMENT` for a value that is not finite.
 */
export function dataset(parts: DatasetParts): Dataset {
  const name = parts.name ?? "data";
  if (parts.features.length === 0) {
    throw new EspalierError("EMPTY_DATA", {
      thing: name,
      rule: "needs at least one example with at least one feature",
      received: parts.features.length,
      remedy: "Pass the rows of all examples in one array, one after another.",
    });
  }
  const count = countOf(name, parts);
  const featureDims = parts.featureDims ?? [parts.features.length / count];
  checkRows(`features of ${name}`, parts.features.length, count, featureDims);
  const features = finiteFloats(`features of ${name}`, parts.features, sizeOf(featureDims));
  const made: Dataset = { name, count, features, featureDims: [...featureDims] };
  return {
    ...made,
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
  const labels = data.labels;
  return {
    ...data,
    count: indices.length,
    features: gatherRows(data.features, sizeOf(data.featureDims), indices),
    ...(labels === undefined ? {} : { labels: Int32Array.from(indices, (index) => labels[index] as number) }),
    ...(data.targets === undefined
      ? {}
      : { targets: gatherRows(data.targets, data.targets.length / data.count, indices) }),
  };
}

/** The same examples with another shape of the same size, such as [64] to [1, 8, 8]. Shares the features. */
export function reshapeFeatures(data: Dataset, featureDims: readonly number[]): Dataset {
  checkRows(`features of ${data.name}`, data.features.length, data.count, featureDims);
  return { ...data, featureDims: [...featureDims] };
}

function countOf(name: string, parts: DatasetParts): number {
  const size = parts.featureDims === undefined ? undefined : sizeOf(parts.featureDims);
  const count =
    parts.count ?? parts.labels?.length ?? (size === undefined ? undefined : parts.features.length / size);
  if (count === undefined) {
    throw new EspalierError("ARGUMENT", {
      thing: name,
      rule: "needs count, labels or featureDims to tell where one example ends",
      remedy: "For example featureDims: [4] for rows of four features.",
    });
  }
  if (count === 0) {
    throw new EspalierError("EMPTY_DATA", {
      thing: name,
      rule: "needs at least one example",
      received: 0,
      remedy: "Check where the examples come from.",
    });
  }
  if (!Number.isInteger(count) || count < 0) {
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: name,
      rule: "must hold a whole number of examples",
      received: count,
      remedy: "Check featureDims: their product must divide the number of features.",
    });
  }
  return count;
}

function checkRows(thing: string, length: number, count: number, dims: readonly number[]): void {
  if (dims.every((dim) => Number.isInteger(dim) && dim > 0) && length === count * sizeOf(dims)) return;
  throw new EspalierError("SHAPE_MISMATCH", {
    thing,
    rule: `needs ${count} examples × [${dims.join(", ")}] values, every dimension a positive integer`,
    received: length,
    remedy: "Check the shape of one example, and that the last row is whole.",
  });
}

function finiteFloats(thing: string, values: ArrayLike<number>, rowSize: number): Float32Array {
  const floats = values instanceof Float32Array ? values : Float32Array.from(values);
  for (let at = 0; at < floats.length; at++) {
    if (Number.isFinite(floats[at])) continue;
    throw new EspalierError("ARGUMENT", {
      thing: `${thing}, example ${Math.floor(at / rowSize)}, value ${at % rowSize}`,
      rule: "must be finite in float32",
      received: String(values[at]),
      remedy:
        typeof values[at] === "object"
          ? "Pass one flat array (rows.flat()), and featureDims for the shape of a row."
          : "Drop or fill missing values first.",
    });
  }
  return floats;
}

function checkedLabels(
  name: string,
  count: number,
  values: ArrayLike<number>,
  { classNames, classes = classNames?.length }: Pick<DatasetParts, "classes" | "classNames">,
): Pick<Dataset, "labels" | "classes" | "classNames"> {
  if (values.length !== count) {
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: `labels of ${name}`,
      rule: `needs one label for each of ${count} examples`,
      received: values.length,
      remedy: "Check that features and labels are of the same examples.",
    });
  }
  if (classes !== undefined && !(Number.isInteger(classes) && classes > 0)) {
    throw new EspalierError("ARGUMENT", {
      thing: `classes of ${name}`,
      rule: "must be a positive integer",
      received: classes,
      remedy: "Leave it out to have the classes counted.",
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
  // Without a stated number, anything that an Int32Array holds is a class.
  const bound = classes ?? 2 ** 31 - 1;
  let largest = 0;
  for (let at = 0; at < count; at++) {
    const label = values[at] as number;
    if (!Number.isInteger(label) || label < 0 || label >= bound) {
      throw new EspalierError("LABEL_RANGE", {
        thing: `label of example ${at} of ${name}`,
        rule: `must be an integer in 0..${bound - 1}`,
        received: label,
        remedy: "Number the classes from 0, and give as many classes as there are.",
      });
    }
    largest = Math.max(largest, label);
  }
  return {
    labels: values instanceof Int32Array ? values : Int32Array.from(values),
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

function gatherRows(rows: Float32Array, size: number, indices: ArrayLike<number>): Float32Array {
  const picked = new Float32Array(indices.length * size);
  for (let at = 0; at < indices.length; at++) {
    const from = (indices[at] as number) * size;
    picked.set(rows.subarray(from, from + size), at * size);
  }
  return picked;
}
