import { describe, expect, it } from "vitest";
import { dataset, subset } from "../../data/dataset.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Shape } from "../../graph/dim.ts";
import { int, ints, type Model, makeModel } from "../../graph/model.ts";
import { newGraph } from "../../ops/index.ts";
import { Random } from "../../tensor/random.ts";
import { float32, int64, makeTensor } from "../../tensor/tensor.ts";
import { Trainer } from "../trainer/trainer.ts";

const draws = new Random(8, "examples");
const normal = (...dims: number[]) =>
  float32(
    dims,
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => draws.normal()),
  );

function model(shape: Shape, body: (graph: GraphBuilder, x: string) => string): Model {
  const graph = newGraph();
  graph.output(body(graph, graph.input("x", { dtype: "float32", shape })));
  return makeModel(graph.build("examples"));
}

/** A GRU over axis 0 of [sequence, batch, 3], with one number per output, [sequence, batch, 1]. */
const recurrent = (graph: GraphBuilder, x: string) => {
  const weights = [normal(1, 12, 3), normal(1, 12, 4)].map((tensor, at) =>
    graph.parameter(`gru${at}`, tensor),
  );
  const [states = ""] = graph.emitAll("GRU", [x, ...weights], 1, { hidden_size: int(4) });
  const flat = graph.emit("Squeeze", [states, graph.vector([1])]);
  return graph.emit("MatMul", [flat, graph.parameter("head", normal(4, 1))]);
};

describe("the axis of examples", () => {
  const [count, steps] = [6, 5];
  const features = normal(count, steps, 3).data;
  const targets = normal(count, steps).data;
  const data = dataset({ features, featureDims: [steps, 3], targets, targetDims: [steps, 1] });

  it.each<[string, Shape, { batchAxis?: string | Record<string, number> }]>([
    ["called batch", ["seq", "batch", 3], {}],
    ["called N", ["T", "N", 3], {}],
    ["called batch_size", ["time", "batch_size", 3], {}],
    ["told by name", ["s0", "s1", 3], { batchAxis: "s1" }],
    ["told by number", ["s0", "s1", 3], { batchAxis: { x: 1 } }],
    ["fixed sequence", [steps, "batch", 3], {}],
  ])("%s: each example by itself, in any order", async (_, shape, options) => {
    const net = model(shape, recurrent);
    const trainer = await Trainer.create(net, { loss: "meanSquaredError", ...options });
    let right = 0;
    for (let example = 0; example < count; example++) {
      const x = makeTensor("float32", [steps, 1, 3], features.slice(example * 15, example * 15 + 15));
      const y = (await trainer.predict({ x })).data;
      for (let at = 0; at < steps; at++)
        right += ((y[at] as number) - (targets[example * steps + at] as number)) ** 2 / (count * steps);
    }
    const reversed = subset(data, [5, 4, 3, 2, 1, 0]);
    expect((await trainer.evaluate(data)).loss).toBeCloseTo(right, 5);
    expect((await trainer.evaluate(reversed)).loss).toBeCloseTo(right, 5);
    expect((await trainer.evaluate(data, { batchSize: 4 })).loss).toBeCloseTo(right, 5);
    await trainer.fit(data, { steps: 40 });
    expect((await trainer.evaluate(data)).loss).toBeLessThan(right);
    await trainer.dispose();
  });

  it("comes to the front if the output has the time first", async () => {
    const net = model(["batch", 4, "time"], (graph, x) => {
      const first = graph.emit("Transpose", [x], { perm: ints([2, 0, 1]) });
      return graph.emit("MatMul", [first, graph.parameter("w", normal(4, 3))], {}, "y");
    });
    const labels = Int32Array.from({ length: 12 }, (_, at) => at % 3);
    const rows = dataset({ features: normal(6, 4, 2).data, featureDims: [4, 2], labels, labelDims: [2] });
    const trainer = await Trainer.create(net, { loss: "tokenCrossEntropy" });
    const { loss } = await trainer.evaluate(rows);
    expect((await trainer.evaluate(subset(rows, [3, 1, 5, 0, 2, 4]))).loss).toBeCloseTo(loss, 5);
    expect((await trainer.evaluate(rows, { batchSize: 1 })).loss).toBeCloseTo(loss, 5);
  });

  it("is requested if the default one is a sequence", async () => {
    await expect(
      Trainer.create(model(["s0", "s1", 3], recurrent), { loss: "meanSquaredError" }),
    ).rejects.toMatchObject({ code: "SHAPE_MISMATCH", remedy: expect.stringContaining("--batch-axis") });
    const unknown = { loss: "meanSquaredError", batchAxis: "frames" } as const;
    await expect(Trainer.create(model(["s0", "s1", 3], recurrent), unknown)).rejects.toMatchObject({
      code: "ARGUMENT",
      rule: expect.stringContaining("must name an axis"),
    });
  });
});

describe("models that mix examples", () => {
  const linear = (graph: GraphBuilder, x: string) =>
    graph.emit("MatMul", [x, graph.parameter("w", normal(3, 2))]);
  const mixing: readonly [string, (graph: GraphBuilder, x: string) => string][] = [
    ["a softmax over the batch", (graph, x) => graph.emit("Softmax", [linear(graph, x)], { axis: int(0) })],
    [
      "less its mean over the batch",
      (graph, x) => {
        const y = linear(graph, x);
        return graph.emit("Sub", [y, graph.emit("ReduceMean", [y, graph.vector([0])], { keepdims: int(1) })]);
      },
    ],
    [
      "attention over the batch",
      (graph, x) => {
        const y = linear(graph, x);
        const scores = graph.emit("MatMul", [y, graph.emit("Transpose", [y], { perm: ints([1, 0]) })]);
        return graph.emit("MatMul", [graph.emit("Softmax", [scores], { axis: int(1) }), y]);
      },
    ],
    [
      "running sums over the batch",
      (graph, x) => graph.emit("CumSum", [linear(graph, x), graph.parameter("at", int64([], [0]))]),
    ],
    [
      "the first example for all",
      (graph, x) => {
        const y = linear(graph, x);
        return graph.emit("Add", [y, graph.emit("Gather", [y, graph.vector([0])], { axis: int(0) })]);
      },
    ],
    [
      "divided by the largest of the batch",
      (graph, x) => {
        const y = linear(graph, x);
        return graph.emit("Div", [y, graph.emit("ReduceMax", [y], { keepdims: int(0) })]);
      },
    ],
  ];

  it.each(mixing)("%s is refused, unless the axis is given", async (_, body) => {
    const net = model(["batch", 3], body);
    await expect(Trainer.create(net, { loss: "meanSquaredError" })).rejects.toMatchObject({
      code: "SHAPE_MISMATCH",
      rule: expect.stringContaining("each example by itself"),
    });
    const told = await Trainer.create(net, { loss: "meanSquaredError", batchAxis: "batch" });
    await told.dispose();
  });
});

describe("nodes that were exported as they are in training", () => {
  const features = normal(9, 3).data;
  const data = dataset({ features, featureDims: [3], targets: normal(9, 2).data, targetDims: [2] });

  it("dropout: the same outputs each time, and still drops in training", async () => {
    const net = model(["batch", 3], (graph, x) => {
      const h = graph.emit("MatMul", [x, graph.parameter("w1", normal(3, 8))]);
      const mode = graph.parameter("mode", makeTensor("bool", [], Uint8Array.of(1)));
      const dropped = graph.emit("Dropout", [h, graph.scalar(0.5), mode]);
      return graph.emit("MatMul", [dropped, graph.parameter("w2", normal(8, 2))]);
    });
    const trainer = await Trainer.create(net, { loss: "meanSquaredError", batchSize: 9 });
    const first = await trainer.evaluate(data);
    expect(await trainer.evaluate(data)).toEqual(first);
    const { loss } = await trainer.trainStep(data);
    expect(loss).not.toBeCloseTo(first.loss, 4);
    const saved = new TextDecoder("latin1").decode(trainer.toBytes());
    expect(saved).toContain("Dropout");
    const bytes = trainer.toBytes();
    const again = await Trainer.create((await import("../../formats/onnx/index.ts")).decodeModel(bytes), {
      loss: "meanSquaredError",
    });
    expect(again.model.graph.nodes.find(({ op }) => op === "Dropout")?.inputs).toHaveLength(2);
  });

  const normalized = (training: boolean) =>
    model(["batch", 3], (graph, x) => {
      const ones = ["scale", "shift", "mean", "variance"].map((name, at) =>
        graph.parameter(name, float32([3], at % 3 === 0 ? [1, 1, 1] : [0.1, 0.2, 0.3])),
      );
      const attributes = training ? { training_mode: int(1) } : {};
      const [y = ""] = graph.emitAll("BatchNormalization", [x, ...ones], training ? 3 : 1, attributes);
      return graph.emit("MatMul", [y, graph.parameter("w", float32([3, 2], [1, 2, 3, 4, 5, 6]))]);
    });

  it("batch normalization: by running statistics in evaluation", async () => {
    const losses = [];
    for (const training of [true, false]) {
      const trainer = await Trainer.create(normalized(training), { loss: "meanSquaredError" });
      losses.push((await trainer.evaluate(data)).loss, (await trainer.evaluate(data, { batchSize: 1 })).loss);
    }
    for (const loss of losses) expect(loss).toBeCloseTo(losses[0] as number, 5);
  });

  it("batch normalization: no batch of one, and a last one joins the one before", async () => {
    const one = await Trainer.create(normalized(false), { loss: "meanSquaredError", batchSize: 1 });
    await expect(one.fit(data, { steps: 1 })).rejects.toMatchObject({
      code: "ARGUMENT",
      rule: expect.stringContaining("at least 2"),
    });
    const four = await Trainer.create(normalized(false), { loss: "meanSquaredError", batchSize: 4 });
    const sizes: number[] = [];
    await four.fit(data, {
      epochs: 2,
      onStep: (info) => void sizes.push(info.batchSize),
    });
    expect(sizes).toEqual([4, 5, 4, 5]);
  });
});
