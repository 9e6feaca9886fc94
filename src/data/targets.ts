import { EspalierError } from "../tensor/errors.ts";
import { sizeOf } from "../tensor/tensor.ts";
import { checkFinite, checkRows, pickRows } from "./columns.ts";

/** Labels with this value are left out of a loss over positions, as for padding. */
export const ignoredLabel = -100;

/** What examples are trained for: integer labels or float rows. */
export interface TargetData {
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
}

/** A target as the caller gives it. */
export interface TargetParts {
  readonly labels?: ArrayLike<number>;
  /** Default: one label per example. */
  readonly labelDims?: readonly number[];
  /** Default: the number of class names, or the largest label plus one. */
  readonly classes?: number;
  readonly classNames?: readonly string[];
  readonly targets?: ArrayLike<number>;
  /** Default: one axis, targets / count. */
  readonly targetDims?: readonly number[];
}

/** Throws `SHAPE_MISMATCH`, `LABEL_RANGE` and `ARGUMENT`; `name` is whose targets they are. */
export function checkedTarget(name: string, count: number, parts: TargetParts): TargetData {
  return {
    ...(parts.labels === undefined ? {} : checkedLabels(name, count, parts.labels, parts)),
    ...(parts.targets === undefined ? {} : checkedTargets(name, count, parts.targets, parts.targetDims)),
  };
}

/** The targets of the examples at `indices`, of `count`, in that order, copied. */
export function pickTarget(target: TargetData, count: number, indices: ArrayLike<number>): TargetData {
  const { labels, labelDims, classes, classNames, targets, targetDims } = target;
  return {
    ...(labels === undefined ? {} : { labels: pickRows(labels, labels.length / count, indices) }),
    ...(labelDims === undefined ? {} : { labelDims }),
    ...(classes === undefined ? {} : { classes }),
    ...(classNames === undefined ? {} : { classNames }),
    ...(targets === undefined ? {} : { targets: pickRows(targets, targets.length / count, indices) }),
    ...(targetDims === undefined ? {} : { targetDims }),
  };
}

/** Float32 values of rows of `rowSize`. Throws `ARGUMENT` for one that is not finite. */
export function finiteFloats(thing: string, values: ArrayLike<number>, rowSize: number): Float32Array {
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
  }: Pick<TargetParts, "classes" | "classNames" | "labelDims">,
): Pick<TargetData, "labels" | "labelDims" | "classes" | "classNames"> {
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
): Required<Pick<TargetData, "targets" | "targetDims">> {
  checkRows(`targets of ${name}`, values.length, count, dims);
  return { targets: finiteFloats(`targets of ${name}`, values, sizeOf(dims)), targetDims: [...dims] };
}
