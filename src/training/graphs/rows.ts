import type { Rows } from "../../data/batches.ts";
import type { ColumnData } from "../../data/columns.ts";
import { type Dataset, ignoredLabel, withTarget } from "../../data/dataset.ts";
import { type Dim, evaluateDim, namesOf, type Shape } from "../../graph/dim.ts";
import type { Value } from "../../graph/model.ts";
import { allocate, type DType } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { exampleShape, type ProgramInput } from "./program-inputs.ts";
import { featuresInput, hasColumn } from "./sizes.ts";

/** The part of a program that data have to fit. */
export interface Fed {
  /** The inputs that take the examples, as the model names them. */
  readonly inputs: readonly ProgramInput[];
  /** Inputs of the model that neither output nor loss depends on. */
  readonly ignored: readonly string[];
  /** What the losses take. */
  readonly targets: readonly FedTarget[];
}

/** The targets that a loss takes. */
export interface FedTarget {
  readonly input: Value;
  /** The number of classes, which integer labels must be below, if the loss takes labels. */
  readonly classes: Dim | undefined;
  /** Their name in the data, if the caller says it. */
  readonly of: string | undefined;
  /** The name that they are looked for by otherwise. */
  readonly usual: string;
}

/** The data as a loss sees them: its own targets are the labels or targets. Throws `ARGUMENT` if the data lack them. */
export function dataFor(target: FedTarget | undefined, data: Dataset): Dataset {
  if (target === undefined) return data;
  const { of, usual } = target;
  return withTarget(data, of ?? (Object.hasOwn(data.namedTargets ?? {}, usual) ? usual : undefined));
}

/** An input of a program and the rows of a data set that go there, in the input's own element type. */
export interface RowSource {
  readonly input: ProgramInput;
  readonly rows: Rows;
}

/**
 * Where each input of a program takes its examples from: the column of its name, or the features for the first float32 input
 * without a column; the targets from a column, the targets or the labels. Throws `EMPTY_DATA`; `ARGUMENT` for an input
 * without a column, or a column without an input; `SHAPE_MISMATCH`; `UNSUPPORTED_TYPE` if the element types differ;
 * `LABEL_RANGE`.
 */
export function sourcesOf(program: Fed, data: Dataset): readonly RowSource[] {
  if (data.count === 0) {
    throw new EspalierError("EMPTY_DATA", {
      thing: `data set "${data.name}"`,
      rule: "needs at least one example",
      received: data.count,
    });
  }
  const { inputs, targets } = program;
  refuseExtra(program, data);
  const taker = featuresInput(inputs, data);
  const missing = inputs.filter((input) => input !== taker && !hasColumn(data, input.name));
  if (missing.length > 0) throw columnMissing(missing, data);
  const sources = inputs.map((input) => ({
    input,
    rows: input === taker ? featureRows(input, data) : columnRows(input, exampleShape(input), data),
  }));
  checkNamedSizes(sources, data);
  return [
    ...sources,
    ...targets.map((target) => ({
      input: { ...target.input, batchAxis: 0 },
      rows: targetRows(target, dataFor(target, data)),
    })),
  ];
}

function refuseExtra({ inputs, ignored, targets }: Fed, data: Dataset): void {
  const names = inputs.map(({ name }) => name);
  const known = new Set([...names, ...ignored, ...targets.map(({ input }) => input.name)]);
  const extra = Object.keys(data.inputs ?? {}).find((name) => !known.has(name));
  if (extra === undefined) return;
  throw new EspalierError("ARGUMENT", {
    thing: `column "${extra}" of data set "${data.name}"`,
    rule: "must be for an input of the model",
    received: extra,
    remedy: `The model expects ${names.join(", ")}.`,
  });
}

function columnMissing(missing: readonly ProgramInput[], data: Dataset): EspalierError {
  const [first] = missing as [ProgramInput];
  return new EspalierError("ARGUMENT", {
    thing: `data set "${data.name}"`,
    rule: `needs a column for each input of the model, but has none for ${missing.map(({ name }) => name).join(", ")}`,
    received: Object.keys(data.inputs ?? {}),
    remedy: `Give it as dataset({ inputs: { "${first.name}": { data, dims } } }), examples of shape [${exampleShape(first).join(", ")}].`,
  });
}

function featureRows(input: ProgramInput, data: Dataset): Rows {
  const shape = exampleShape(input);
  const thing = `features of data set "${data.name}"`;
  if (!fits(shape, data.featureDims)) {
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: `data set "${data.name}"`,
      rule: `the model's input "${input.name}" expects examples of shape [${shape.join(", ")}]`,
      received: data.featureDims,
      remedy: shape.some((dim) => typeof dim === "string")
        ? `Reshape the features (reshapeFeatures), or say what the sizes are: --sizes ${sizesLike(shape)} on the command line.`
        : `Give as many features as the model expects, ${sizeOf(shape as readonly number[])} per example: leave columns of a table out by drop (--drop on the command line), reshape others (reshapeFeatures), or change the model's first size.`,
    });
  }
  if (input.dtype !== "float32") throw wrongType(thing, input, "float32");
  return { thing, data: data.features, dims: data.featureDims };
}

const sizesLike = (shape: Shape) => [...new Set(shape.flatMap(namesOf))].map((name) => `${name}=8`).join(",");

/** The rows of the column with an input's name. */
function columnRows(input: { name: string; dtype: DType }, shape: Shape, data: Dataset): Rows {
  const column = data.inputs?.[input.name];
  const thing = `column "${input.name}" of data set "${data.name}"`;
  if (column === undefined || !fits(shape, column.dims)) {
    throw new EspalierError("SHAPE_MISMATCH", {
      thing,
      rule: `the model expects examples of shape [${shape.join(", ")}]`,
      received: column?.dims,
      remedy: "Pass the shape of one example as the column's dims, without the batch axis.",
    });
  }
  return { thing, data: converted(thing, column.data, input), dims: column.dims };
}

/** Whether examples of shape `dims` fit `shape`, in which a named size may be any number. */
function fits(shape: Shape, dims: readonly number[]): boolean {
  return (
    shape.length === dims.length && shape.every((dim, axis) => typeof dim !== "number" || dim === dims[axis])
  );
}

/** Checks that a named size is the same in every column. */
function checkNamedSizes(sources: readonly RowSource[], data: Dataset): void {
  const seen = new Map<string, { readonly size: number; readonly thing: string }>();
  for (const { input, rows } of sources) {
    exampleShape(input).forEach((dim, axis) => {
      if (typeof dim === "number") return;
      const size = rows.dims[axis] as number;
      const known = seen.get(dim);
      if (known === undefined) seen.set(dim, { size, thing: rows.thing });
      else if (known.size !== size) {
        throw new EspalierError("SHAPE_MISMATCH", {
          thing: `data set "${data.name}"`,
          rule: `"${dim}" must be the same in ${known.thing} and ${rows.thing}`,
          received: [known.size, size],
        });
      }
    });
  }
}

function targetRows({ input: target, classes: bound }: FedTarget, data: Dataset): Rows {
  const wanted = target.shape.slice(1);
  if (hasColumn(data, target.name)) return columnRows(target, wanted, data);
  const { labels, labelDims = [], targets, targetDims = [] } = data;
  if (target.dtype === "float32" && targets !== undefined) {
    const thing = `targets of data set "${data.name}"`;
    const dims = shapedLike(wanted, targetDims);
    if (dims !== undefined) return { thing, data: targets, dims };
    throw new EspalierError("SHAPE_MISMATCH", {
      thing,
      rule: `must have the shape of the model's output for an example, ${countText(wanted)}`,
      received: countText(targetDims),
      remedy: "Name another output of the model (output, or --output), or change the targets.",
    });
  }
  if (labels === undefined) {
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: `data set "${data.name}"`,
      rule: "the loss needs integer labels",
      received: targets === undefined ? "no targets" : "float targets",
      remedy: "Use meanSquaredError or binaryCrossEntropy, or give labels.",
    });
  }
  const dims = shapedLike(wanted, labelDims);
  if (dims === undefined) {
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: `labels of data set "${data.name}"`,
      rule: `the loss expects ${countText(wanted)} for each example`,
      received: labelDims.length === 0 ? "one label for each example" : countText(labelDims),
      remedy:
        "Name another output of the model (output, or --output) or another loss, or give labels of that shape (labelDims).",
    });
  }
  const classes = bound === undefined ? undefined : evaluateDim(bound, new Map());
  const wrong = labels.findIndex(
    (label) =>
      (label < 0 || (classes !== undefined && label >= classes)) &&
      !(labelDims.length > 0 && label === ignoredLabel),
  );
  if (wrong >= 0) {
    throw new EspalierError("LABEL_RANGE", {
      thing: `label of example ${Math.floor((wrong * data.count) / labels.length)} in "${data.name}"`,
      rule: `${classesText(classes, target)}, so labels must be from 0 to ${(classes ?? 1) - 1}`,
      received: labels[wrong],
      remedy: "Give the model one output for each class, or name another output (output, or --output).",
    });
  }
  const thing = `labels of data set "${data.name}"`;
  return {
    thing,
    data: target.dtype === "float32" ? Float32Array.from(labels) : converted(thing, labels, target),
    dims,
  };
}

/** `dims` with the axes of size 1 that `shape` has; undefined if they still do not fit. */
function shapedLike(shape: Shape, dims: readonly number[]): readonly number[] | undefined {
  if (fits(shape, dims)) return dims;
  const rest = dims.filter((size) => size !== 1);
  const shaped = shape.map((dim) => (dim === 1 ? 1 : (rest.shift() ?? 1)));
  return rest.length === 0 && fits(shape, shaped) ? shaped : undefined;
}

function countText(shape: Shape): string {
  return shape.every((dim) => dim === 1) ? "one number" : `numbers of shape [${shape.join(", ")}]`;
}

function classesText(classes: number | undefined, { dtype }: { readonly dtype: DType }): string {
  if (dtype === "float32") return "the loss is for two classes";
  return `the model has ${classes === 1 ? "1 output" : `outputs for ${classes} classes`}`;
}

/** The values in the element type of their input; integers and booleans are converted. */
function converted(thing: string, data: ColumnData, input: { name: string; dtype: DType }): ColumnData {
  const made = allocate(input.dtype, 0);
  if (made.constructor === data.constructor) return data;
  if (data instanceof Float32Array) throw wrongType(thing, input, "float32");
  if (made instanceof BigInt64Array) return BigInt64Array.from(data as Int32Array, (value) => BigInt(value));
  if (made instanceof Int32Array) return Int32Array.from(data as Int32Array, Number);
  if (input.dtype === "bool") return Uint8Array.from(data as Int32Array, (value) => Number(Boolean(value)));
  throw wrongType(thing, input, "integers");
}

function wrongType(thing: string, { name, dtype }: { name: string; dtype: DType }, received: string) {
  const arrays: { readonly [D in DType]?: string } = {
    float32: "Float32Array",
    int64: "BigInt64Array",
    int32: "Int32Array",
    bool: "Uint8Array",
  };
  return new EspalierError("UNSUPPORTED_TYPE", {
    thing,
    rule: `the model's input "${name}" expects ${dtype}`,
    received,
    remedy:
      arrays[dtype] === undefined
        ? "Cast the input of the model to float32 or int64."
        : `Pass it as a column: dataset({ inputs: { "${name}": { data: new ${arrays[dtype]}(…), dims } } }).`,
  });
}
