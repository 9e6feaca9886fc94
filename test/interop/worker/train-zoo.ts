import { join } from "node:path";
import type { ColumnParts } from "../../../src/data/columns.ts";
import { type Dataset, dataset } from "../../../src/data/dataset.ts";
import type { Shape } from "../../../src/graph/dim.ts";
import type { Model } from "../../../src/graph/model.ts";
import { loadModel } from "../../../src/models/model-file.ts";
import { Random } from "../../../src/tensor/random.ts";
import { makeTensor, sizeOf, type Tensor } from "../../../src/tensor/tensor.ts";
import type { LossName } from "../../../src/training/losses/index.ts";
import { adam } from "../../../src/training/optimizers/adam.ts";
import { Trainer } from "../../../src/training/trainer/trainer.ts";
import type { Exchange } from "./exchange.ts";

interface Asked {
  readonly folder: string;
  readonly examples: number;
  readonly steps: number;
  readonly models: readonly AskedModel[];
}

interface AskedModel {
  readonly name: string;
  readonly file: string;
  readonly inputs: readonly AskedInput[];
  /** The size of each symbolic axis. */
  readonly sizes: Readonly<Record<string, number>>;
  /** The value to train; null for the model's first float32 output. */
  readonly output: string | null;
}

interface AskedInput {
  readonly name: string;
  readonly shape: readonly (number | string)[];
  readonly dtype: string;
  /** Integers are in low..high, the first of each example is `first`. */
  readonly low: number;
  readonly high: number;
  readonly first: number | null;
}

/**
 * Trains each model of the zoo on random examples, widens it in the middle, continues, and resumes it from a
 * checkpoint. Answers the losses of both runs, what the growth did, and a file of the trained model with
 * inputs and outputs of one batch.
 */
export async function trainZoo(exchange: Exchange): Promise<void> {
  const asked = await exchange.asked<Asked>();
  const answers: Record<string, unknown> = {};
  const tensors = new Map<string, Tensor>();
  for (const model of asked.models) {
    try {
      answers[model.name] = { error: "", ...(await trainOne(model, asked, exchange, tensors)) };
    } catch (thrown) {
      answers[model.name] = { error: thrown instanceof Error ? thrown.message : String(thrown) };
    }
  }
  await exchange.answer(answers, tensors);
}

async function trainOne(
  asked: AskedModel,
  { folder, examples, steps }: Asked,
  exchange: Exchange,
  tensors: Map<string, Tensor>,
) {
  const model = await loadModel(join(folder, asked.file));
  const draws = new Random(1, asked.name);
  const inputs = Object.fromEntries(
    asked.inputs.map((input) => [input.name, column(input, asked.sizes, examples, draws)]),
  );
  const trainer = await Trainer.create(model, {
    loss: lossFor(shapeOf(asked, model)),
    batchSize: examples,
    optimizer: adam({ learningRate: 3e-3 }),
    ...(asked.output === null ? {} : { output: asked.output }),
  });
  const data = withTargets(inputs, shapeOf(asked, model), asked.sizes, examples, draws);
  const losses = await run(trainer, data, steps);
  const growable = trainer.widths.filter((width) => width.growable);
  const width = growable[Math.floor(growable.length / 2)];
  if (width === undefined) throw new Error("no width can grow");
  const grown = await trainer.widen(width.id, { by: 1 });
  losses.push(...(await run(trainer, data, 5)));
  const resumed = await Trainer.resume(await trainer.checkpoint());
  const [on, again] = [await run(trainer, data, 5), await run(resumed, data, 5)];
  await trainer.save(exchange.path(`${asked.name}.onnx`));
  const feeds = Object.fromEntries(asked.inputs.map((input) => [input.name, batchOfOne(input, inputs)]));
  for (const [name, tensor] of Object.entries(feeds)) tensors.set(`${asked.name}/${name}`, tensor);
  tensors.set(`${asked.name}/`, await trainer.predict(feeds));
  await Promise.all([trainer.dispose(), resumed.dispose()]);
  return { losses, on, again, width: grown.width, preserved: grown.output.preserved };
}

async function run(trainer: Trainer, data: Dataset, steps: number): Promise<number[]> {
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) losses.push((await trainer.trainStep(data)).loss);
  return losses;
}

const batchAxis = ({ shape }: AskedInput) => Math.max(0, shape.indexOf("batch"));

function column(
  input: AskedInput,
  sizes: Readonly<Record<string, number>>,
  examples: number,
  draws: Random,
): Required<ColumnParts> {
  const dims = numbers(
    input.shape.filter((_, axis) => axis !== batchAxis(input)),
    sizes,
  );
  const size = sizeOf(dims);
  const length = examples * size;
  if (input.dtype === "float32") return { data: Float32Array.from({ length }, () => draws.normal()), dims };
  const integer = (at: number) =>
    input.first !== null && at % size === 0
      ? input.first
      : input.low + draws.integer(input.high - input.low + 1);
  return { data: BigInt64Array.from({ length }, (_, at) => BigInt(integer(at))), dims };
}

/** The shape of the trained output, as the file has it. */
function shapeOf({ output }: AskedModel, { graph }: Model): Shape {
  const value = graph.outputs.find(({ name, dtype }) =>
    output === null ? dtype === "float32" : name === output,
  );
  return value?.shape ?? ["batch", 2];
}

/** Classes of examples, tokens or pixels if the output looks like their scores, else numbers. */
function lossFor(shape: Shape): LossName {
  if (shape.length === 3) return "tokenCrossEntropy";
  const classes = Number(shape[1]);
  return (shape.length === 2 && classes > 2 && classes < 20) || (shape.length === 4 && classes === 2)
    ? "crossEntropy"
    : "meanSquaredError";
}

function withTargets(
  inputs: Readonly<Record<string, ColumnParts>>,
  shape: Shape,
  sizes: Readonly<Record<string, number>>,
  count: number,
  draws: Random,
): Dataset {
  const loss = lossFor(shape);
  const dims = numbers(shape.slice(1), sizes);
  if (loss === "meanSquaredError") {
    const targets = Float32Array.from({ length: count * sizeOf(dims) }, () => draws.uniform());
    return dataset({ inputs, count, targets, targetDims: dims });
  }
  const [classes, labelDims] =
    loss === "crossEntropy" ? [dims[0] ?? 1, dims.slice(1)] : [dims.at(-1) ?? 1, dims.slice(0, -1)];
  const labels = Int32Array.from({ length: count * sizeOf(labelDims) }, () => draws.integer(classes));
  return dataset({ inputs, count, labels, labelDims, classes });
}

/** The first example of a column as a batch. */
function batchOfOne(input: AskedInput, columns: Readonly<Record<string, Required<ColumnParts>>>): Tensor {
  const { data, dims } = columns[input.name] as Required<ColumnParts>;
  const all = dims.toSpliced(batchAxis(input), 0, 1);
  return data instanceof Float32Array
    ? makeTensor("float32", all, data.slice(0, sizeOf(dims)))
    : makeTensor("int64", all, (data as BigInt64Array).slice(0, sizeOf(dims)));
}

function numbers(shape: Shape, sizes: Readonly<Record<string, number>>): number[] {
  return shape.map((size) => (typeof size === "number" ? size : (sizes[size] ?? 1)));
}
