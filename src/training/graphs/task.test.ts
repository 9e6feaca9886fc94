import { describe, expect, it } from "vitest";
import { dataset } from "../../data/dataset.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import { int, type Model, makeModel } from "../../graph/model.ts";
import { newGraph } from "../../ops/index.ts";
import { Random } from "../../tensor/random.ts";
import { float32 } from "../../tensor/tensor.ts";
import { Trainer } from "../trainer/trainer.ts";
import { taskFor } from "./task.ts";

/**
 * Linear maps of two features: an output of each name with the given number of units, and what `more` adds.
 */
function model(units: Readonly<Record<string, number>>, more?: (graph: GraphBuilder) => void): Model {
  const graph = newGraph();
  const draws = new Random(1, "weights");
  const x = graph.input("x", { dtype: "float32", shape: ["batch", 2] });
  for (const [name, count] of Object.entries(units)) {
    const weight = float32(
      [2, count],
      Array.from({ length: 2 * count }, () => draws.normal()),
    );
    const inputs = [x, graph.parameter(`${name}.weight`, weight)];
    graph.add({ name, op: "MatMul", domain: "", inputs, outputs: [name], attributes: {} });
    graph.output(name);
  }
  more?.(graph);
  return makeModel(graph.build("outputs"));
}

const features = Float32Array.from({ length: 24 }, (_, at) => Math.sin(at));
const labeled = (classes: number) =>
  dataset({ features, featureDims: [2], labels: Int32Array.from({ length: 12 }, (_, at) => at % classes) });
const valued = (size: number) =>
  dataset({ features, featureDims: [2], targets: new Float32Array(12 * size), targetDims: [size] });

describe("which output and which loss fit the data", () => {
  it("chooses the output with the right number of classes, and says so", () => {
    const { output, loss, notes } = taskFor(model({ embedding: 16, logits: 3 }), labeled(3));
    expect([output, loss]).toEqual(["logits", "crossEntropy"]);
    expect(notes).toEqual([expect.stringMatching(/"logits" is trained.*3 classes.*"embedding"/)]);
  });

  it("chooses the output that predicts the right number of values", () => {
    expect(taskFor(model({ classes: 3, price: 1 }), valued(1))).toMatchObject({
      output: "price",
      loss: "meanSquaredError",
    });
    expect(taskFor(model({ price: 1, box: 4 }), valued(4)).output).toBe("box");
  });

  it("uses one unit for two classes by binary cross-entropy", () => {
    expect(taskFor(model({ logit: 1 }), labeled(2))).toMatchObject({ loss: "binaryCrossEntropy" });
    expect(taskFor(model({ logits: 2 }), labeled(2))).toMatchObject({ loss: "crossEntropy", notes: [] });
  });

  it("treats logits and their softmax as one", () => {
    const both = model({ z: 3 }, (graph) => {
      graph.output(graph.emit("Softmax", ["z"], { axis: int(1) }, "p"));
    });
    expect(taskFor(both, labeled(3)).output).toBe("z");
  });

  it("asks if several fit", () => {
    const twins = model({ start: 3, end: 3 });
    expect(() => taskFor(twins, labeled(3))).toThrow(/several fit/);
    expect(taskFor(twins, labeled(3), { output: "end" })).toMatchObject({ output: "end", notes: [] });
  });

  it("says what the model has if none fits", () => {
    expect(() => taskFor(model({ score: 1 }), labeled(3))).toThrow(/the model has 1 output, so labels/);
    expect(() => taskFor(model({ a: 2, b: 3 }), valued(4))).toThrow(/numbers of shape \[2\]/);
  });
});

describe("[n] and [n, 1] meet", () => {
  const flat = model({}, (graph) => {
    const weight = graph.parameter("weight", float32([2, 1], [1, -2]));
    const product = graph.emit("MatMul", ["x", weight]);
    graph.output(graph.emit("Squeeze", [product, graph.vector([1])], {}, "y"));
  });
  const wide = model({}, (graph) => {
    const weight = graph.parameter("weight", float32([2, 1], [1, -2]));
    graph.output(graph.emit("MatMul", ["x", weight], {}, "y"));
  });
  const targets = Float32Array.from({ length: 12 }, (_, at) => at / 3);

  it.each<readonly number[]>([[1], [], [1, 1]])("with targets of %j", async (...targetDims) => {
    const data = dataset({ features, featureDims: [2], targets, targetDims });
    const losses = [];
    for (const one of [flat, wide]) {
      const trainer = await Trainer.create(one, { loss: "meanSquaredError" });
      losses.push((await trainer.evaluate(data)).loss);
      await trainer.fit(data, { steps: 2 });
      await trainer.dispose();
    }
    const right = targets.reduce(
      (sum, target, at) =>
        sum + ((features[2 * at] as number) - 2 * (features[2 * at + 1] as number) - target) ** 2 / 12,
      0,
    );
    for (const loss of losses) expect(loss).toBeCloseTo(right, 4);
  });
});
