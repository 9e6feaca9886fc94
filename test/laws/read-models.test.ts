import { describe, expect, it } from "vitest";
import { type Dataset, dataset } from "../../src/data/dataset.ts";
import type { GraphBuilder } from "../../src/graph/builder.ts";
import type { Shape } from "../../src/graph/dim.ts";
import { float, int, type Model, makeModel } from "../../src/graph/model.ts";
import { newGraph } from "../../src/ops/index.ts";
import { Random } from "../../src/tensor/random.ts";
import { float32, int64, type Tensor } from "../../src/tensor/tensor.ts";
import { adam } from "../../src/training/optimizers/adam.ts";
import type { TrainerOptions } from "../../src/training/settings/options.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";

const [examples, length, words] = [24, 5, 11];
const draws = new Random(4, "models that were read");

function normal(...dims: number[]): Tensor<"float32"> {
  const size = dims.reduce((product, dim) => product * dim, 1);
  return float32(
    dims,
    Array.from({ length: size }, () => 0.5 * draws.normal()),
  );
}

function build(
  inputs: Readonly<Record<string, ["float32" | "int64", Shape]>>,
  write: (graph: GraphBuilder) => void,
) {
  const graph = newGraph();
  for (const [name, [dtype, shape]] of Object.entries(inputs)) graph.input(name, { dtype, shape });
  write(graph);
  return makeModel(graph.build("read"));
}

/** Mean embedding of the words that a mask lets through, with features of the whole text: classes [batch, 3]. */
function classifier(): Model {
  const tokens = ["int64", ["batch", "sequence"]] as ["int64", Shape];
  return build({ ids: tokens, mask: tokens, features: ["float32", ["batch", 2]] }, (graph) => {
    graph.parameter("embedding.weight", normal(words, 6));
    graph.parameter("inner.weight", normal(8, 7));
    graph.parameter("inner.bias", normal(7));
    graph.parameter("head.weight", normal(7, 3));
    const embedded = graph.emit("Gather", ["embedding.weight", "ids"]);
    const kept = graph.emit("Cast", [graph.emit("Unsqueeze", ["mask", graph.vector([2])])], { to: int(1) });
    const over = graph.vector([1]);
    const sum = graph.emit("ReduceSum", [graph.emit("Mul", [embedded, kept]), over], { keepdims: int(0) });
    const count = graph.emit("ReduceSum", [kept, over], { keepdims: int(0) });
    const text = graph.emit("Div", [sum, count]);
    const all = graph.emit("Concat", [text, "features"], { axis: int(1) });
    const inner = graph.emit("Add", [graph.emit("MatMul", [all, "inner.weight"]), "inner.bias"]);
    graph.output(graph.emit("MatMul", [graph.emit("Relu", [inner]), "head.weight"], {}, "classes"));
  });
}

const ids = BigInt64Array.from({ length: examples * length }, () => BigInt(draws.integer(words)));
const mask = BigInt64Array.from({ length: examples * length }, (_, at) => BigInt(at % length < 3));
const labels = Int32Array.from({ length: examples }, (_, at) => Number(ids[at * length]) % 3);
const columns = {
  ids: { data: ids, dims: [length] },
  mask: { data: mask, dims: [length] },
};
const features = normal(examples, 2).data;
const texts = dataset({ inputs: columns, features, featureDims: [2], labels, classes: 3 });

const options: TrainerOptions = { batchSize: 10, optimizer: adam({ learningRate: 0.02 }) };

async function run(trainer: Trainer, data: Dataset, steps: number): Promise<number[]> {
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) losses.push((await trainer.trainStep(data)).loss);
  return losses;
}

describe("a model with several inputs", () => {
  it.each(["kernel", "graph"] as const)("trains, grows and resumes bit for bit, by %s", async (update) => {
    const trainer = await Trainer.create(classifier(), { ...options, update });
    const before = await trainer.evaluate(texts);
    await run(trainer, texts, 20);
    const record = await trainer.widen("inner", { by: 2 });
    expect(record.output.preserved).toBe(true);
    const resumed = await Trainer.resume(await trainer.checkpoint());
    expect(await run(resumed, texts, 15)).toEqual(await run(trainer, texts, 15));
    expect((await trainer.evaluate(texts)).loss).toBeLessThan(0.7 * before.loss);
    expect(trainer.progress).toEqual(resumed.progress);
    expect(trainer.model.graph.inputs).toEqual(classifier().graph.inputs);
    await Promise.all([trainer.dispose(), resumed.dispose()]);
  });

  it("grows before it has seen data", async () => {
    const trainer = await Trainer.create(classifier(), options);
    expect((await trainer.widen("inner", { by: 1 })).output.preserved).toBe(true);
    await trainer.dispose();
  });

  it("accepts integers of any kind, and predicts from inputs by name", async () => {
    const small = { ...columns, ids: { data: Int32Array.from(ids, Number), dims: [length] } };
    const same = dataset({ inputs: small, features, featureDims: [2], labels, classes: 3 });
    const trainer = await Trainer.create(classifier(), options);
    expect(await trainer.evaluate(same)).toEqual(await trainer.evaluate(texts));
    const feeds = {
      ids: int64([2, length], [...ids.slice(0, 2 * length)]),
      mask: int64([2, length], [...mask.slice(0, 2 * length)]),
      features: float32([2, 2], features.slice(0, 4)),
    };
    expect((await trainer.predict(feeds)).dims).toEqual([2, 3]);
    const { mask: _, ...rest } = feeds;
    await expect(trainer.predict(rest)).rejects.toMatchObject({ code: "SHAPE_MISMATCH" });
    await trainer.dispose();
  });

  it("counts the work of longer examples", async () => {
    const half = (data: BigInt64Array) => ({ data: data.slice(0, 12), dims: [1] });
    const ones = new BigInt64Array(12).fill(1n);
    const short = dataset({
      inputs: { ids: half(ids), mask: half(ones) },
      features: features.slice(0, 24),
      featureDims: [2],
      labels: labels.slice(0, 12),
      classes: 3,
    });
    const trainer = await Trainer.create(classifier(), options);
    await run(trainer, short, 1);
    const small = trainer.flopsPerExample;
    await run(trainer, texts, 1);
    expect(small).toBeGreaterThan(0);
    expect(trainer.flopsPerExample).toBeGreaterThan(small);
    await trainer.dispose();
  });

  const wrong: [string, string, Parameters<typeof dataset>[0]][] = [
    ["a missing column", "ARGUMENT", { inputs: { ids: columns.ids }, features, featureDims: [2], labels }],
    ["a column of no input", "ARGUMENT", { ...texts, inputs: { ...columns, idz: columns.ids } }],
    ["no features", "ARGUMENT", { inputs: columns, labels }],
    [
      "a column of another rank",
      "SHAPE_MISMATCH",
      { ...texts, inputs: { ...columns, ids: { data: labels } } },
    ],
    [
      "lengths that differ",
      "SHAPE_MISMATCH",
      { ...texts, inputs: { ...columns, mask: { data: mask.slice(0, 4 * examples), dims: [4] } } },
    ],
    [
      "floats for ids",
      "UNSUPPORTED_TYPE",
      { ...texts, inputs: { ...columns, ids: { data: Float32Array.from(ids, Number), dims: [length] } } },
    ],
  ];
  it.each(wrong)("refuses %s", async (_, code, parts) => {
    const trainer = await Trainer.create(classifier(), options);
    await expect(trainer.trainStep(dataset(parts))).rejects.toMatchObject({ code });
    expect(trainer.step).toBe(0);
    await trainer.dispose();
  });
});

describe("a model as exporters write it", () => {
  /** Two heads on one hidden layer; the second output is the one with integers. */
  const heads = () =>
    build({ x: ["float32", ["batch", 4]] }, (graph) => {
      for (const [name, rows, size] of [
        ["hidden", 4, 6],
        ["first", 6, 2],
        ["second", 6, 3],
      ] as const) {
        graph.parameter(`${name}.weight`, normal(rows, size));
      }
      const hidden = graph.emit("Relu", [graph.emit("MatMul", ["x", "hidden.weight"])]);
      graph.output(graph.emit("MatMul", [hidden, "first.weight"], {}, "first"));
      const second = graph.emit("MatMul", [hidden, "second.weight"], {}, "second");
      graph.output(graph.emit("ArgMax", [second], { axis: int(1) }, "answer"));
    });
  const rows = dataset({ features: normal(16, 4).data, labels: labels.slice(0, 16), classes: 3 });

  it("is trained on the output of choice, and keeps the others", async () => {
    const model = heads();
    const trainer = await Trainer.create(model, { ...options, output: "second_0" });
    const losses = await run(trainer, rows, 20);
    expect(losses.at(-1)).toBeLessThan(losses[0] as number);
    expect(trainer.model.graph.outputs).toEqual(model.graph.outputs);
    const weight = (from: Model, name: string) => from.graph.parameters.get(`${name}.weight`);
    expect(weight(trainer.model, "first")).toEqual(weight(model, "first"));
    expect(weight(trainer.model, "second")).not.toEqual(weight(model, "second"));
    await trainer.widen("hidden", { by: 2 });
    expect(weight(trainer.model, "first")?.dims).toEqual([8, 2]);
    const resumed = await Trainer.resume(await trainer.checkpoint());
    expect(await run(resumed, rows, 3)).toEqual(await run(trainer, rows, 3));
    await Promise.all([trainer.dispose(), resumed.dispose()]);
  });

  it.each([
    ["nothing", "ARGUMENT"],
    ["answer_0", "UNSUPPORTED_TYPE"],
  ])("is not trained on %s", async (output, code) => {
    await expect(Trainer.create(heads(), { output })).rejects.toMatchObject({ code });
  });

  it("may have the sequence first and the batch second", async () => {
    const model = build({ x: ["float32", ["time", "batch", 3]] }, (graph) => {
      graph.parameter("weight", normal(3, 2));
      const mean = graph.emit("ReduceMean", ["x", graph.vector([0])], { keepdims: int(0) });
      graph.output(graph.emit("MatMul", [mean, "weight"]));
    });
    const series = normal(6, 4, 3);
    const data = dataset({
      features: series.data,
      featureDims: [4, 3],
      targets: new Float32Array(12),
      targetDims: [2],
    });
    const trainer = await Trainer.create(model, {
      loss: "meanSquaredError",
      optimizer: adam({ learningRate: 0 }),
    });
    const weight = model.graph.parameters.get("weight")?.data as Float32Array;
    let expected = 0;
    for (let row = 0; row < 6; row++) {
      for (let to = 0; to < 2; to++) {
        let output = 0;
        for (let at = 0; at < 12; at++) {
          output += ((series.data[row * 12 + at] as number) * (weight[(at % 3) * 2 + to] as number)) / 4;
        }
        expected += output ** 2 / 12;
      }
    }
    expect((await trainer.trainStep(data)).loss).toBeCloseTo(expected, 5);
    await trainer.dispose();
  });

  it("scores every token except those that do not count", async () => {
    const model = build({ ids: ["int64", ["batch", "sequence"]] }, (graph) => {
      graph.parameter("embedding.weight", normal(words, 4));
      graph.parameter("head.weight", normal(4, words));
      graph.output(graph.emit("MatMul", [graph.emit("Gather", ["embedding.weight", "ids"]), "head.weight"]));
    });
    const next = Int32Array.from(ids, (id, at) => (at % length === 4 ? -100 : (Number(id) + 1) % words));
    const data = dataset({ inputs: { ids: columns.ids }, labels: next, labelDims: [length], classes: words });
    const trainer = await Trainer.create(model, { ...options, loss: "tokenCrossEntropy" });
    const before = await trainer.evaluate(data);
    const logits = await trainer.predict({ ids: int64([examples, length], [...ids]) });
    let [sum, counted] = [0, 0];
    next.forEach((label, at) => {
      if (label < 0) return;
      const row = Array.from(logits.data as Float32Array).slice(at * words, (at + 1) * words);
      sum += Math.log(row.reduce((total, value) => total + Math.exp(value), 0)) - (row[label] as number);
      counted++;
    });
    expect(before.loss).toBeCloseTo(sum / counted, 5);
    await run(trainer, data, 200);
    expect((await trainer.evaluate(data)).accuracy).toBe(1);
    await trainer.dispose();
  });

  it("may state one batch size, and trains in batches of any size", async () => {
    const model = build({ x: ["float32", [8, 4]] }, (graph) => {
      graph.parameter("weight", normal(4, 3));
      graph.output(graph.emit("MatMul", ["x", "weight"]));
    });
    const trainer = await Trainer.create(model, { batchSize: 8 });
    await run(trainer, rows, 3);
    expect((await trainer.evaluate(rows)).examples).toBe(16);
    await trainer.dispose();
    const other = await Trainer.create(model, { batchSize: 5 });
    expect((await other.trainStep(rows)).loss).toBeGreaterThan(0);
    expect(other.model.graph.inputs[0]?.shape).toEqual([8, 4]);
    await other.dispose();
  });

  it("has its loss in the graph, and the targets as its last input", async () => {
    const model = build({ x: ["float32", ["batch", 4]], y: ["int64", ["batch"]] }, (graph) => {
      graph.parameter("weight", normal(4, 3));
      const logits = graph.emit("MatMul", ["x", "weight"], {}, "logits");
      graph.output(logits);
      graph.output(graph.emit("SoftmaxCrossEntropyLoss", [logits, "y"], {}, "loss"));
    });
    const inside = await Trainer.create(model, { ...options, loss: { output: "loss_0" } });
    const outside = await Trainer.create(model, { ...options, output: "logits_0" });
    // The gradient comes from a softmax here, and from the logarithms there.
    const expected = await run(outside, rows, 5);
    (await run(inside, rows, 5)).forEach((loss, step) => {
      expect(loss).toBeCloseTo(expected[step] as number, 5);
    });
    expect((await inside.predict(float32([1, 4], [1, 2, 3, 4]))).dims).toEqual([1, 3]);
    await Promise.all([inside.dispose(), outside.dispose()]);
  });

  it("leaves masks, scales and factors out, which are not weights", async () => {
    const model = build({ x: ["float32", ["batch", 1, 2, 2]] }, (graph) => {
      graph.parameter("conv.weight", normal(3, 1, 1, 1));
      graph.parameter("conv.bias", float32([3], [0, 0, 0]));
      graph.parameter("scales", float32([4], [1, 1, 2, 2]));
      graph.parameter("factor", float32([1], [0.5]));
      graph.parameter("mask", float32([3], [0, 0, -3.4e38]));
      graph.parameter("shift", float32([1], [0.1]));
      const images = graph.emit("Conv", ["x", "conv.weight", "conv.bias"]);
      const large = graph.emit("Resize", [images, "", "scales"], { cubic_coeff_a: float(-0.75) });
      const mean = graph.emit("ReduceMean", [large, graph.vector([2, 3])], { keepdims: int(0) });
      const shifted = graph.emit("Add", [graph.emit("Mul", [mean, "factor"]), "shift"]);
      graph.output(graph.emit("Add", [shifted, "mask"]));
    });
    const data = dataset({
      features: normal(16, 4).data,
      featureDims: [1, 2, 2],
      labels: labels.slice(0, 16).map((label) => label % 2),
      classes: 3,
    });
    const trainer = await Trainer.create(model, options);
    await run(trainer, data, 5);
    const changed = [...model.graph.parameters].filter(([name, { data }]) =>
      data.some((value, at) => value !== trainer.model.graph.parameters.get(name)?.data[at]),
    );
    expect(changed.map(([name]) => name)).toEqual(["conv.weight", "conv.bias", "shift"]);
    await trainer.dispose();
  });

  it("normalizes by running statistics if a BatchNormalization is frozen", async () => {
    const model = build({ x: ["float32", ["batch", 4]] }, (graph) => {
      graph.parameter("norm.weight", normal(4));
      graph.parameter("norm.bias", normal(4));
      graph.parameter("norm.mean", normal(4));
      graph.parameter("norm.variance", float32([4], [1, 2, 3, 4]));
      graph.parameter("head.weight", normal(4, 3));
      const names = ["weight", "bias", "mean", "variance"].map((part) => `norm.${part}`);
      graph.output(graph.emit("MatMul", [graph.emit("BatchNormalization", ["x", ...names]), "head.weight"]));
    });
    const still = { ...options, optimizer: adam({ learningRate: 0 }), batchSize: 16 };
    const trainer = await Trainer.create(model, { ...still, frozen: ["norm.*"] });
    const { loss } = await trainer.trainStep(rows);
    expect(loss).toBeCloseTo((await trainer.evaluate(rows)).loss, 6);
    expect(trainer.model.graph.parameters.get("norm.mean")).toEqual(model.graph.parameters.get("norm.mean"));
    const moving = await Trainer.create(model, still);
    await run(moving, rows, 1);
    expect(moving.model.graph.parameters.get("norm.mean")).not.toEqual(
      model.graph.parameters.get("norm.mean"),
    );
    await Promise.all([trainer.dispose(), moving.dispose()]);
  });

  it("says so if its output does not count examples", async () => {
    const model = build({ x: ["float32", ["batch", 4]] }, (graph) => {
      graph.parameter("weight", normal(4, 2));
      graph.output(graph.emit("Reshape", [graph.emit("MatMul", ["x", "weight"]), graph.vector([-1, 1])]));
    });
    await expect(Trainer.create(model, { loss: "meanSquaredError" })).rejects.toMatchObject({
      code: "SHAPE_MISMATCH",
    });
  });
});
