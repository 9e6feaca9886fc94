import { type Dataset, reshapeFeatures } from "../data/dataset.ts";
import { isConcrete, type Shape } from "../graph/dim.ts";
import type { Model } from "../graph/model.ts";
import { EspalierError } from "../tensor/errors.ts";
import type { TrainingData } from "./data-option.ts";
import { typeText } from "./format.ts";
import { type ModelOptions, openModel } from "./model-option.ts";

/** What `--model` names, and how it is read. */
export interface ModelChoice {
  readonly path: string;
  readonly options: ModelOptions;
}

/** Reads a model to train. Throws `SHAPE_MISMATCH` for one that data sets cannot feed. */
export async function openTrainable({ path, options }: ModelChoice): Promise<Model> {
  const { model } = await openModel(path, options);
  checkTrainable(model, path);
  return model;
}

/** Makes sure that a data set can feed a model. Throws `SHAPE_MISMATCH`. */
export function checkTrainable({ graph }: Model, thing: string): void {
  const inputs = graph.inputs.filter(({ name }) => !graph.parameters.has(name));
  const [only, ...more] = inputs;
  if (only !== undefined && more.length === 0 && only.dtype === "float32") return;
  throw new EspalierError("SHAPE_MISMATCH", {
    thing,
    rule: "must have one float32 input, which the features of the data go to",
    received: inputs.map((value) => `${value.name} ${typeText(value)}`),
  });
}

/** The same data in the shape of the model's input where only the shape differs: rows of 64 as images of 1×8×8. */
export function fitData(data: TrainingData, { graph }: Model): TrainingData {
  const wanted: Shape = graph.inputs[0]?.shape.slice(1) ?? [];
  if (!isConcrete(wanted)) return data;
  const size = wanted.reduce((product, dim) => product * dim, 1);
  const shaped = (part: Dataset) =>
    part.features.length === part.count * size ? reshapeFeatures(part, wanted) : part;
  return {
    train: shaped(data.train),
    test: shaped(data.test),
    ...(data.validation === undefined ? {} : { validation: shaped(data.validation) }),
  };
}
