import { epochOrder } from "../../../src/data/batches.ts";
import {
  type Dataset,
  dataset,
  int64,
  type Model,
  type Tensor,
  Trainer,
  type TrainerOptions,
} from "../../../src/index.ts";
import { optimizerOf } from "../../../src/training/optimizers/index.ts";
import type { Schedule } from "../../../src/training/schedules/index.ts";

/** A training run as the oracles write it in JSON. */
export interface RunSpec {
  readonly loss: "crossEntropy" | "binaryCrossEntropy" | "meanSquaredError";
  readonly optimizer: {
    readonly name: string;
    readonly options: Readonly<Record<string, number | boolean>>;
    readonly learningRate: number | Schedule;
  };
  readonly batchSize: number;
  readonly seed: number;
  readonly steps: number;
  readonly clipNorm: number | null;
  readonly clipValue: number | null;
  readonly update: "kernel" | "graph";
}

/** The public options of a run. */
export function optionsOf(run: RunSpec): TrainerOptions {
  const { name, options, learningRate } = run.optimizer;
  return {
    loss: run.loss,
    optimizer: optimizerOf(name, options, learningRate),
    batchSize: run.batchSize,
    seed: run.seed,
    update: run.update,
    ...(run.clipNorm === null ? {} : { clipNorm: run.clipNorm }),
    ...(run.clipValue === null ? {} : { clipValue: run.clipValue }),
  };
}

/** The data set whose tensors are called `${id}.features` and `${id}.labels` or `${id}.targets`. */
export function dataOf(id: string, tensors: ReadonlyMap<string, Tensor>): Dataset {
  const features = tensors.get(`${id}.features`) as Tensor<"float32">;
  const labels = tensors.get(`${id}.labels`) as Tensor<"int32"> | undefined;
  const targets = tensors.get(`${id}.targets`) as Tensor<"float32"> | undefined;
  return dataset({
    name: id,
    count: features.dims[0] as number,
    features: features.data,
    featureDims: features.dims.slice(1),
    ...(labels === undefined ? {} : { labels: labels.data }),
    ...(targets === undefined ? {} : { targets: targets.data, targetDims: targets.dims.slice(1) }),
  });
}

/** Trains, and returns each step's loss and the order of the examples. */
export async function train(
  model: Model,
  run: RunSpec,
  data: Dataset,
): Promise<{ trainer: Trainer; losses: number[]; order: Tensor }> {
  const trainer = await Trainer.create(model, optionsOf(run));
  const losses: number[] = [];
  await trainer.fit(data, { steps: run.steps, onStep: ({ loss }) => void losses.push(loss) });
  const epochs = Math.ceil((run.steps * run.batchSize) / data.count) + 1;
  const orders = Array.from({ length: epochs }, (_, epoch) => [...epochOrder(data.count, run.seed, epoch)]);
  return { trainer, losses, order: int64([epochs, data.count], orders.flat()) };
}
