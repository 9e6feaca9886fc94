import { type Dataset, reshapeFeatures } from "../../data/dataset.ts";
import { bindDim, isConcrete, type Shape } from "../../graph/dim.ts";
import type { Graph, Model, Value } from "../../graph/model.ts";
import type { DType } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { type PreprocessedModel, withoutPreprocessing } from "../../training/graphs/preprocessing-nodes.ts";
import { type Task, taskFor, type Wanted } from "../../training/graphs/task.ts";
import type { Sizes, TaskOptions } from "../../training/settings/task-options.ts";
import { typeText } from "../print/format.ts";
import { inFile } from "../print/in-file.ts";
import { parseBatchAxis } from "./batch-axis-option.ts";
import type { TrainingData } from "./data-option.ts";
import { columnsForInputs } from "./input-columns.ts";
import { type ModelFileOptions, openModel } from "./model-option.ts";
import { lossFor } from "./network.ts";
import { badOption } from "./option-values.ts";

/** The file that `--model` names, and how it is read. */
export interface ModelChoice {
  readonly path: string;
  readonly options: ModelFileOptions;
}

/**
 * Reads the network of a model to train, its record, and notes about it. Throws `SHAPE_MISMATCH` for one that data sets
 * cannot feed.
 */
export async function openTrainable({
  path,
  options,
}: ModelChoice): Promise<PreprocessedModel & { readonly notes: readonly string[] }> {
  const { model, notes } = await openModel(path, options);
  const opened = networkIn(model, path);
  checkTrainable(opened.model, path);
  return { ...opened, notes };
}

/** {@link withoutPreprocessing}, naming the file if its record cannot be read. */
export function networkIn(model: Model, path: string): PreprocessedModel {
  try {
    return withoutPreprocessing(model);
  } catch (error) {
    throw inFile(error, path);
  }
}

const fed: readonly DType[] = ["float32", "int32", "int64", "bool"];

/** Checks that a data set can feed a model. Throws `SHAPE_MISMATCH`. */
export function checkTrainable({ graph }: Model, thing: string): void {
  const inputs = inputsOf(graph);
  if (inputs.length > 0 && inputs.every(({ dtype }) => fed.includes(dtype))) return;
  throw new EspalierError("SHAPE_MISMATCH", {
    thing,
    rule: `must have inputs of ${fed.join(", ")}, which columns of the data go to`,
    received: inputs.map((value) => `${value.name} ${typeText(value)}`),
  });
}

/** A model's inputs, without its parameters. */
export function inputsOf({ inputs, parameters }: Graph): readonly Value[] {
  return inputs.filter(({ name }) => !parameters.has(name));
}

/**
 * The same data in the shape of the model's input (its named sizes are `sizes`) if only the shape differs, such as rows
 * of 64 as images of 1×8×8. For several inputs, or one that does not take float32, columns are matched by name. Throws
 * what {@link columnsForInputs} throws.
 */
export function fitData(data: TrainingData, model: Model, sizes?: Sizes): TrainingData {
  const shaped = (part: Dataset) => fitRows(part, model, sizes);
  return {
    train: shaped(data.train),
    test: shaped(data.test),
    ...(data.validation === undefined ? {} : { validation: shaped(data.validation) }),
  };
}

const withoutOnes = (dims: readonly number[]) => dims.filter((size) => size !== 1);

/** {@link fitData} for one part. */
export function fitRows(part: Dataset, { graph }: Model, sizes: Sizes = {}): Dataset {
  const bindings = new Map(Object.entries(sizes));
  const inputs = inputsOf(graph);
  const [only, ...more] = inputs;
  if (only !== undefined) refuseContradiction(part, only.shape.slice(1), sizes);
  return only !== undefined && more.length === 0 && only.dtype === "float32"
    ? reshaped(
        part,
        only.shape.slice(1).map((dim) => bindDim(dim, bindings)),
      )
    : columnsForInputs(part, inputs);
}

/** Examples with several axes have sizes, too, which the given ones must not contradict. */
function refuseContradiction({ name, featureDims }: Dataset, shape: Shape, sizes: Sizes): void {
  if (featureDims.length === 1 || featureDims.length !== shape.length) return;
  shape.forEach((dim, axis) => {
    if (typeof dim !== "string" || sizes[dim] === undefined || sizes[dim] === featureDims[axis]) return;
    throw badOption(
      "--sizes",
      `must be as the data have them: an example of "${name}" is [${featureDims.join(", ")}], so that ${dim} is ${featureDims[axis]}`,
      `${dim}=${sizes[dim]}`,
      "Leave it out: the sizes of images are read off the data.",
    );
  });
}

function reshaped(part: Dataset, wanted: Shape): Dataset {
  if (!isConcrete(wanted) || part.features.length !== part.count * sizeOf(wanted)) return part;
  const same = withoutOnes(part.featureDims).join() === withoutOnes(wanted).join();
  if (same || part.featureDims.length === 1 || wanted.length === 1) return reshapeFeatures(part, wanted);
  throw new EspalierError("SHAPE_MISMATCH", {
    thing: `examples of "${part.name}"`,
    rule: `must have the axes that the model expects, [${wanted.join(", ")}]; reshaping them would make other images`,
    received: part.featureDims,
    remedy: "If their channels are last: --axes hwc transposes them.",
  });
}

/** Options that say what a model is trained to do, as typed. */
export interface RawTaskOptions {
  readonly output?: string;
  readonly batchAxis?: string;
}

/** The same options, parsed. Throws `USAGE`. */
export function taskOptions({ output, batchAxis }: RawTaskOptions): Omit<TaskOptions, "loss"> {
  if (output?.includes(","))
    throw badOption(
      "--output",
      "must name one output, since a run trains one by one loss",
      output,
      "To train a weighted sum of losses, export it as an output of the model, and name that in the library: loss: { output }.",
    );
  return {
    ...(output === undefined ? {} : { output }),
    ...(batchAxis === undefined ? {} : { batchAxis: parseBatchAxis(batchAxis) }),
  };
}

/** The task that a loaded model is trained for on data. Throws `USAGE` for a loss that the data have no targets for. */
export function modelTask(model: Model, data: Dataset, wanted: Wanted): Task {
  lossFor(data, wanted.loss);
  return taskFor(model, data, wanted);
}
