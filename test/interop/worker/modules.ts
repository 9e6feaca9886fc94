import { dataset, loadModel, type Tensor } from "../../../src/index.ts";
import { toNumbers } from "../../../src/tensor/tensor.ts";
import { sgd } from "../../../src/training/optimizers/sgd.ts";
import { trainableOf } from "../../../src/training/settings/trainable.ts";
import { Trainer } from "../../../src/training/trainer/trainer.ts";
import type { Exchange } from "./exchange.ts";

interface Asked {
  readonly steps: number;
  readonly rate: number;
  readonly models: readonly AskedModel[];
}

interface AskedModel {
  readonly id: string;
  readonly file: string;
  /** How many inputs take examples: the first of the file. */
  readonly inputs: number;
  /** Whether the first output is the loss, of which the last input is the target. */
  readonly loss: boolean;
}

/**
 * Trains each file on `${id}.in0`, … and `${id}.target`, all examples at once; answers losses, trained parameters before
 * and after, and what it predicts of `${id}.probe0`, … before (`fresh`) and after (`trained`).
 */
export async function modules(exchange: Exchange): Promise<void> {
  const given = await exchange.tensors();
  const { models, ...run } = await exchange.asked<Asked>();
  const tensors = new Map<string, Tensor>();
  const answers: Record<string, unknown> = {};
  for (const model of models) {
    try {
      answers[model.id] = { error: "", ...(await trainModule(model, run, given, tensors)) };
    } catch (thrown) {
      answers[model.id] = { error: thrown instanceof Error ? thrown.message : String(thrown) };
    }
  }
  await exchange.answer(answers, tensors);
}

async function trainModule(
  asked: AskedModel,
  { steps, rate }: Omit<Asked, "models">,
  given: ReadonlyMap<string, Tensor>,
  tensors: Map<string, Tensor>,
) {
  const model = await loadModel(asked.file);
  const names = model.graph.inputs.slice(0, asked.inputs).map(({ name }) => name);
  const named = (kind: string) =>
    Object.fromEntries(
      names.map((name, index) => [name, given.get(`${asked.id}.${kind}${index}`) as Tensor]),
    );
  const target = given.get(`${asked.id}.target`) as Tensor;
  const count = target.dims[0] as number;
  const columns = Object.entries(named("in")).map(([name, { data, dims }]) => [
    name,
    { data, dims: dims.slice(1) },
  ]);
  const data = dataset({
    inputs: Object.fromEntries(columns),
    count,
    ...(target.dtype === "float32"
      ? { targets: toNumbers(target), targetDims: target.dims.slice(1) }
      : { labels: toNumbers(target), labelDims: target.dims.slice(1), classes: 3 }),
  });
  const trainer = await Trainer.create(model, {
    loss: asked.loss ? { output: model.graph.outputs[0]?.name ?? "" } : "meanSquaredError",
    optimizer: sgd({ learningRate: rate }),
    batchSize: count,
  });
  try {
    if (!asked.loss) tensors.set(`${asked.id}.fresh`, await trainer.predict(named("probe")));
    const trained = trainableOf(model).filter((name) => !trainer.settings.frozen.includes(name));
    for (const name of trained)
      tensors.set(`${asked.id}.before.${name}`, model.graph.parameters.get(name) as Tensor);
    const losses: number[] = [];
    for (let step = 0; step < steps; step++) losses.push((await trainer.trainStep(data)).loss);
    if (!asked.loss) tensors.set(`${asked.id}.trained`, await trainer.predict(named("probe")));
    const { parameters } = trainer.model.graph;
    for (const name of trained) tensors.set(`${asked.id}.after.${name}`, parameters.get(name) as Tensor);
    return { losses, parameters: trainer.parameterCount, names: trained };
  } finally {
    await trainer.dispose();
  }
}
