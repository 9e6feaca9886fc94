import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { dataset, subset } from "../../src/data/dataset.ts";
import { loadModel } from "../../src/models/model-file.ts";
import { Random } from "../../src/tensor/random.ts";
import { makeTensor, toNumbers } from "../../src/tensor/tensor.ts";
import { sgd } from "../../src/training/optimizers/sgd.ts";
import type { TrainerOptions } from "../../src/training/settings/options.ts";
import { diagnose } from "../../src/training/trainer/diagnose-model.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";

// Trains the files of this folder as a user of the library would; expected values are from PyTorch.

const read = (name: string) => loadModel(join(import.meta.dirname, `${name}.onnx`));
const create = async (name: string, options: TrainerOptions = {}) =>
  Trainer.create(await read(name), options);
const normal = (count: number, seed: number) => {
  const random = new Random(seed, "case");
  return Float32Array.from({ length: count }, () => random.normal());
};

describe("axes: [sequence, batch, ...]", () => {
  it("lstm_seqfirst: an example is a sequence, whatever else is in the batch", async () => {
    const [count, steps] = [10, 7];
    const features = normal(count * steps * 5, 1);
    const labels = Int32Array.from({ length: count * steps }, (_, at) => (at * 5 + (at >> 2)) % 4);
    const data = dataset({ features, featureDims: [steps, 5], labels, labelDims: [steps] });
    const trainer = await create("lstm_seqfirst", { loss: "tokenCrossEntropy", batchSize: 4 });
    let right = 0;
    for (let example = 0; example < count; example++) {
      const x = features.slice(example * steps * 5, (example + 1) * steps * 5);
      const alone = toNumbers(await trainer.predict({ x: makeTensor("float32", [steps, 1, 5], x) }));
      for (let step = 0; step < steps; step++) {
        const logits = [...alone.slice(step * 4, step * 4 + 4)];
        const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
        right += total - (logits[labels[example * steps + step] as number] as number);
      }
    }
    const turned = subset(data, [3, 9, 1, 0, 7, 5, 2, 8, 6, 4]);
    for (const [set, batchSize] of [
      [data, 10],
      [turned, 10],
      [turned, 3],
    ] as const)
      expect((await trainer.evaluate(set, { batchSize })).loss).toBeCloseTo(right / count / steps, 5);
    await trainer.fit(data, { steps: 2 });
  });
});

describe("means are over what counts", () => {
  const length = 12;
  const ids = (count: number) =>
    BigInt64Array.from({ length: count * length }, (_, at) => (Math.floor(at / length) % 2 ? 3n : 7n));
  const tagged = (count: number, label: (row: number, place: number) => number) =>
    dataset({
      inputs: { ids: { data: ids(count), dims: [length] } },
      labels: Int32Array.from({ length: count * length }, (_, at) =>
        label(Math.floor(at / length), at % length),
      ),
      labelDims: [length],
      classes: 5,
    });

  it("tag: the loss of tokens is PyTorch's for every batch size and order", async () => {
    const data = tagged(128, (row, place) => (row % 2 ? 4 : place === 0 ? 0 : -100));
    const trainer = await create("tag", { loss: "tokenCrossEntropy" });
    const byLength = subset(
      data,
      [...Array(128).keys()].sort((a, b) => (a % 2) - (b % 2) || a - b),
    );
    for (const batchSize of [1, 7, 64, 128])
      for (const set of [data, byLength])
        expect((await trainer.evaluate(set, { batchSize })).loss).toBeCloseTo(1.94206, 4);
  });

  it("tag: an example in which nothing counts changes nothing, and does not end the run", async () => {
    const few = tagged(4, (row, place) => (row === 0 ? -100 : ((row * length + place) * 3) % 5));
    const trainer = await create("tag", {
      loss: "tokenCrossEntropy",
      batchSize: 1,
      optimizer: sgd({ learningRate: 0.01 }),
    });
    const counted = await trainer.evaluate(subset(few, [1, 2, 3]));
    const all = await trainer.evaluate(few);
    expect(all.loss).toBeCloseTo(counted.loss, 5);
    expect(all.accuracy).toBe(counted.accuracy);
    await trainer.fit(few, { epochs: 1 });
    expect(Number.isFinite((await trainer.evaluate(few)).loss)).toBe(true);
  });

  it("seg: pixels labeled -100 do not count", async () => {
    const pixels = (label: (at: number) => number) =>
      dataset({
        features: normal(6 * 48, 2),
        featureDims: [3, 4, 4],
        labels: Int32Array.from({ length: 96 }, (_, at) => label(at)),
        labelDims: [4, 4],
      });
    const trainer = await create("seg", { loss: "crossEntropy" });
    const { accuracy, loss } = await trainer.evaluate(pixels((at) => (at % 5 === 0 ? -100 : at % 4)));
    const mean = (await trainer.evaluate(pixels((at) => at % 4))).loss;
    const gone = (await trainer.evaluate(pixels((at) => (at % 5 === 0 ? at % 4 : -100)))).loss;
    expect((loss * 76 + gone * 20) / 96).toBeCloseTo(mean, 5);
    expect(((accuracy ?? 0) * 76) % 1).toBeCloseTo(0, 5);
  });
});

describe("a batch of one", () => {
  const data = (count: number) =>
    dataset({
      features: normal(count * 2, 3),
      featureDims: [2],
      labels: Int32Array.from({ length: count }, (_, at) => at % 3),
      classes: 3,
    });

  it("bn: is refused, as PyTorch refuses it", async () => {
    const trainer = await create("bn", { batchSize: 1 });
    await expect(trainer.fit(data(6), { steps: 1 })).rejects.toThrow(/batch/);
  });

  it("bn: the last batch of an epoch joins the one before, and evaluation leaves no example out", async () => {
    const trainer = await create("bn", { batchSize: 4 });
    await trainer.fit(data(9), { epochs: 2 });
    const { loss, examples } = await trainer.evaluate(data(9), { batchSize: 1 });
    expect(examples).toBe(9);
    expect(loss).toBeCloseTo((await trainer.evaluate(data(9))).loss, 4);
  });
});

it("dropout_train: evaluates deterministically", async () => {
  const trainer = await create("dropout_train");
  const data = dataset({
    features: normal(40 * 5, 4),
    featureDims: [5],
    labels: Int32Array.from({ length: 40 }, (_, at) => at % 3),
    classes: 3,
  });
  expect(await trainer.evaluate(data)).toEqual(await trainer.evaluate(data));
  await trainer.fit(data, { steps: 3 });
  expect(await trainer.evaluate(data)).toEqual(await trainer.evaluate(data));
});

describe("growth through functions that are not finite everywhere", () => {
  const data = dataset({
    features: normal(120, 5).map((value) => 115 + 3 * value),
    featureDims: [6],
    labels: Int32Array.from({ length: 20 }, (_, at) => at % 3),
    classes: 3,
  });

  it.each(["hid_log", "hid_sqrt"])("%s: grows by copies, or not at all", async (name) => {
    const trainer = await create(name, { optimizer: sgd({ learningRate: 1e-4 }) });
    await trainer.fit(data, { steps: 3 });
    await expect(trainer.widen("w1", { by: 4, strategy: "random" })).rejects.toThrow(
      /multiples of 8.*copied/,
    );
    const before = await trainer.evaluate(data);
    const { loss } = await trainer.widen("w1", { by: 8, strategy: "random" });
    expect(loss?.after).toBeCloseTo(loss?.before ?? Number.NaN, 5);
    expect((await trainer.evaluate(data)).loss).toBeCloseTo(before.loss, 5);
    await trainer.fit(data, { steps: 2 });
    expect(Number.isFinite((await trainer.evaluate(data)).loss)).toBe(true);
  });
});

describe("diagnosis of a model with nothing to train", () => {
  it("chw_mean: weights taken for constants are examined; without weights there is no width", async () => {
    const data = dataset({
      features: normal(8 * 192, 4),
      featureDims: [3, 8, 8],
      labels: Int32Array.from({ length: 8 }, (_, at) => at % 3),
    });
    const model = await read("chw_mean");
    expect(await diagnose(model, data)).toEqual([]);
    const bare = { ...model, graph: { ...model.graph, parameters: new Map() } };
    expect(await diagnose(bare, data)).toEqual([]);
  });
});
