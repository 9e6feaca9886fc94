import { describe, expect, test } from "vitest";
import { dataset } from "../../src/data/dataset.ts";
import type { Model } from "../../src/graph/model.ts";
import { cnn } from "../../src/nn/cnn.ts";
import { mlp } from "../../src/nn/mlp.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { adam, adamw } from "../../src/training/optimizers/adam.ts";
import { optimizerNames, optimizers } from "../../src/training/optimizers/index.ts";
import { sgd } from "../../src/training/optimizers/sgd.ts";
import { cosineRate } from "../../src/training/schedules/index.ts";
import type { TrainerOptions } from "../../src/training/settings/options.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";
import { normalFeatures } from "./exact-network.ts";

const cases: Readonly<Record<string, Partial<TrainerOptions>>> = {
  sgd: { optimizer: sgd({ learningRate: 0.05 }) },
  "sgd, weight decay": { optimizer: sgd({ learningRate: 0.05, weightDecay: 0.01 }) },
  momentum: { optimizer: sgd({ learningRate: 0.02, momentum: 0.9 }) },
  nesterov: { optimizer: sgd({ learningRate: 0.02, momentum: 0.9, nesterov: true, weightDecay: 0.01 }) },
  adam: { optimizer: adam({ learningRate: 3e-3 }) },
  "adam, weight decay": { optimizer: adam({ learningRate: 3e-3, weightDecay: 0.01 }) },
  adamw: { optimizer: adamw({ learningRate: cosineRate(3e-3, { steps: 100, warmup: 10 }) }) },
  "clipNorm, sgd": { optimizer: sgd({ learningRate: 0.05 }), clipNorm: 0.1 },
  "clipNorm, adam": { optimizer: adam({ learningRate: 3e-3 }), clipNorm: 0.1 },
  "clipValue, adam": { optimizer: adam({ learningRate: 3e-3 }), clipValue: 0.02 },
  "newborn, sgd": {
    optimizer: sgd({ learningRate: 0.05, weightDecay: 0.01 }),
    newborn: { warmup: 20, youth: 10, rate: 0.3 },
  },
  "newborn, nesterov": {
    optimizer: sgd({ learningRate: 0.02, momentum: 0.9, nesterov: true }),
    newborn: { warmup: 20 },
  },
  "newborn, adam": {
    optimizer: adam({ learningRate: 3e-3, weightDecay: 0.01 }),
    newborn: { warmup: 10, youth: 20, rate: 3 },
  },
  "newborn, adamw": {
    optimizer: adamw({ learningRate: cosineRate(3e-3, { steps: 100, warmup: 10 }) }),
    newborn: { warmup: 50, youth: 15 },
  },
  "both, momentum": { optimizer: sgd({ learningRate: 0.05, momentum: 0.9 }), clipNorm: 0.1, clipValue: 0.05 },
};

const networks: readonly {
  readonly name: string;
  readonly model: () => Model;
  readonly widths: [string, string];
}[] = [
  {
    name: "mlp",
    model: () => mlp([6, 5, 4, 3], { activation: "tanh", dropout: 0.2 }),
    widths: ["hidden2", "hidden1"],
  },
  {
    name: "cnn",
    model: () =>
      cnn({ input: [1, 8, 8], filters: [2, 3], hidden: [5], classes: 3, activation: "elu", batchNorm: true }),
    widths: ["conv2", "hidden1"],
  },
];

function labeled(model: Model) {
  const dims = model.graph.inputs[0]?.shape.slice(1) as unknown as readonly number[];
  const features = normalFeatures([48, ...dims], 7).data;
  const size = features.length / 48;
  return dataset({
    features,
    featureDims: dims,
    labels: Int32Array.from({ length: 48 }, (_, row) => {
      const value = features[row * size] as number;
      return value < -0.4 ? 0 : value < 0.4 ? 1 : 2;
    }),
  });
}

/** 100 steps with a growth after 30 and another after 60. */
async function trajectory(model: Model, widths: readonly string[], options: TrainerOptions) {
  const trainer = await Trainer.create(model, { batchSize: 16, seed: 4, ...options });
  const data = labeled(model);
  const losses: number[] = [];
  for (let step = 0; step < 100; step++) {
    if (step === 30) await trainer.widen(widths[0] as string, { by: 3 });
    if (step === 60) await trainer.widen(widths[1] as string, { by: 2 });
    losses.push((await trainer.trainStep(data)).loss);
  }
  const state = trainer.state();
  await trainer.dispose();
  return { losses, state };
}

function relativeDistance(a: Tensor, b: Tensor): number {
  let distance = 0;
  let size = 0;
  a.data.forEach((value, index) => {
    distance += (Number(value) - Number(b.data[index])) ** 2;
    size += Number(value) ** 2;
  });
  return Math.sqrt(distance / (size || 1));
}

test("every optimizer with a kernel has a case: add one above for a new one", () => {
  const withKernel = optimizerNames.filter((name) => optimizers[name]().kernel !== undefined);
  const names = new Set(Object.values(cases).map(({ optimizer }) => optimizer?.name));
  expect(withKernel.filter((name) => !names.has(name))).toEqual([]);
});

describe.each(networks)("the kernel equals the graph, $name", ({ model, widths }) => {
  test.each(Object.entries(cases))("%s", async (name, options) => {
    const [kernel, graph] = [
      await trajectory(model(), widths, { ...options, update: "kernel" }),
      await trajectory(model(), widths, { ...options, update: "graph" }),
    ];
    // A growth's record has its units' gradients before clipping by norm, whichever side applies the update.
    for (const [at, record] of kernel.state.progress.growths.entries()) {
      const units = graph.state.progress.growths[at]?.newUnits ?? [];
      record.newUnits.forEach(({ gradientNorm }, index) => {
        expect(Math.abs((units[index]?.gradientNorm as number) - gradientNorm)).toBeLessThan(1e-5);
      });
    }
    let losses = 0;
    let weights = 0;
    let slots = 0;
    kernel.losses.forEach((loss, step) => {
      losses = Math.max(losses, Math.abs(loss - (graph.losses[step] as number)) / loss);
    });
    for (const [parameter, tensor] of kernel.state.learner.variables) {
      const other = graph.state.learner.variables.get(parameter) as Tensor;
      expect(other.dims).toEqual(tensor.dims);
      weights = Math.max(weights, relativeDistance(tensor, other));
      kernel.state.learner.slots.get(parameter)?.forEach((slot, index) => {
        const match = graph.state.learner.slots.get(parameter)?.[index] as Tensor;
        slots = Math.max(slots, relativeDistance(slot, match));
      });
      expect(graph.state.learner.births.get(parameter)).toEqual(kernel.state.learner.births.get(parameter));
    }
    console.log(`${name}: losses ${losses}, weights ${weights}, optimizer ${slots}`);
    expect(kernel.losses[99]).toBeLessThan(kernel.losses[0] as number);
    expect(losses).toBeLessThan(1e-5);
    expect(weights).toBeLessThan(1e-5);
    expect(slots).toBeLessThan(1e-4);
  });
});
