import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { dataset } from "../../src/data/dataset.ts";
import { evaluateDim, minDim, namesOf } from "../../src/graph/dim.ts";
import { float, int, type Model, makeModel, withParameters } from "../../src/graph/model.ts";
import { loadModel } from "../../src/models/model-file.ts";
import { newGraph } from "../../src/ops/index.ts";
import { inferTypes } from "../../src/ops/infer.ts";
import { Random } from "../../src/tensor/random.ts";
import { float32, int64, type Tensor } from "../../src/tensor/tensor.ts";
import { sgd } from "../../src/training/optimizers/sgd.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";

const read = (name: string) => loadModel(join(import.meta.dirname, "../cases", `${name}.onnx`));
const draw = (length: number, what: string) => {
  const random = new Random(3, what);
  return Float32Array.from({ length }, () => random.normal());
};

/** y = mean over positions of slice(tanh(x·w)), [batch, 3], with a symbolic number of positions. */
function sliced(start: number, end: number, step: number): Model {
  const graph = newGraph();
  graph.input("x", { dtype: "float32", shape: ["batch", "sequence", 4] });
  graph.parameter("w", float32([4, 3], draw(12, "w")));
  const hidden = graph.emit("Tanh", [graph.emit("MatMul", ["x", "w"])]);
  const cut = graph.emit("Slice", [hidden, ...[[start], [end], [1], [step]].map((one) => graph.vector(one))]);
  graph.parameter("axes", int64([1], [1]));
  const mean = graph.emit("ReduceMean", [cut, "axes"], { keepdims: int(0) });
  graph.add({
    name: "y",
    op: "LeakyRelu",
    domain: "",
    inputs: [mean],
    outputs: ["y"],
    attributes: { alpha: float(0.1) },
  });
  const { nodes, parameters } = graph;
  const inputs = [{ name: "x", dtype: "float32" as const, shape: ["batch", "sequence", 4] }];
  const outputs = [{ name: "y", dtype: "float32" as const, shape: ["batch", 3] }];
  return makeModel({ name: "sliced", inputs, outputs, nodes, parameters });
}

/** The gradient of the loss by one update of rate 1, against differences of the loss. */
async function checkGradient(model: Model, length: number, name: string): Promise<void> {
  const features = draw(4 * length * 4, "x");
  const data = dataset({
    features,
    featureDims: [length, 4],
    count: 4,
    targets: draw(12, "t"),
    targetDims: [3],
  });
  const options = { loss: "meanSquaredError", optimizer: sgd({ learningRate: 1 }), batchSize: 4 } as const;
  const trainer = await Trainer.create(model, options);
  const old = model.graph.parameters.get(name) as Tensor<"float32">;
  await trainer.trainStep(data);
  const now = trainer.model.graph.parameters.get(name) as Tensor<"float32">;
  await trainer.dispose();
  const lossAt = async (at: number, by: number) => {
    const changed = old.data.slice();
    changed[at] = (changed[at] as number) + by;
    const parameters = new Map(model.graph.parameters).set(name, float32(old.dims, changed));
    const other = await Trainer.create(withParameters(model, parameters), options);
    const { loss } = await other.evaluate(data);
    await other.dispose();
    return loss;
  };
  let largest = 0;
  for (const at of [0, 5, 11]) {
    const slope = ((await lossAt(at, 1e-2)) - (await lossAt(at, -1e-2))) / 2e-2;
    const gradient = (old.data[at] as number) - (now.data[at] as number);
    largest = Math.max(largest, Math.abs(slope));
    expect(
      Math.abs(gradient - slope),
      `entry ${at} of ${length} positions: ${gradient}, ${slope}`,
    ).toBeLessThan(3e-4);
  }
  expect(largest).toBeGreaterThan(3e-3);
}

describe("a slice of an axis with a symbolic size", () => {
  it.each([
    // start, end, step, lengths below, at and above the cut.
    [0, 5, 1, [2, 5, 8]],
    [0, 2 ** 29, 1, [3, 7]],
    [0, 1_000_000_000, 1, [3, 7]],
    [0, 1, 1, [1, 4]],
    [2, 5, 1, [3, 5, 9]],
    [-3, 2 ** 31 - 1, 1, [2, 3, 6]],
    [-4, -1, 1, [2, 4, 7]],
    [0, -1, 1, [2, 5]],
    [-100, 3, 1, [2, 3, 6]],
    [0, 2 ** 31 - 1, 2, [1, 4, 7]],
    [-1, -(2 ** 31), -1, [1, 5]],
    [1, 6, 2, [2, 6, 9]],
  ])("%i:%i:%i has the gradient of its loss at lengths %o", async (start, end, step, lengths) => {
    for (const length of lengths) await checkGradient(sliced(start, end, step), length, "w");
  });

  it("slice-longer-than-axis: 16 positions of at most 512 train as if there were no slice", async () => {
    const model = await read("slice-longer-than-axis");
    const nodes = model.graph.nodes.map((node) =>
      node.op === "Slice" ? { ...node, op: "Identity", inputs: node.inputs.slice(0, 1) } : node,
    );
    const data = dataset({
      features: draw(4 * 64, "x"),
      featureDims: [16, 4],
      count: 4,
      labels: [0, 1, 2, 0],
    });
    const trained = async (one: Model) => {
      const trainer = await Trainer.create(one, { optimizer: sgd({ learningRate: 0.1 }), batchSize: 4 });
      await trainer.trainStep(data);
      await trainer.dispose();
      return ["w1", "w2", "b2"].map((name) => trainer.model.graph.parameters.get(name)?.data);
    };
    const [cut, whole] = [
      await trained(model),
      await trained({ ...model, graph: { ...model.graph, nodes } }),
    ];
    expect(cut).toEqual(whole);
    expect(cut[0]).not.toEqual(model.graph.parameters.get("w1")?.data);
  });

  it("slice-1e9: the batch is the batch", async () => {
    const model = await read("slice-1e9");
    expect(inferTypes(model.graph).get("xs")?.shape).toEqual(["batch", 4]);
    const trainer = await Trainer.create(model);
    expect(trainer.flopsPerExample).toBeLessThan(1000);
    expect(trainer.widths.some(({ growable }) => growable)).toBe(true);
    await trainer.dispose();
  });

  it("is as long as the shorter of the two", () => {
    const size = minDim(512, "sequence");
    expect(size).toBe("min(512,sequence)");
    expect(
      [16, 512, 600].map((sequence) => evaluateDim(size ?? 0, new Map([["sequence", sequence]]))),
    ).toEqual([16, 512, 512]);
    expect(minDim(600, size ?? 0)).toBe(size);
    expect(minDim(100, size ?? 0)).toBe("min(100,sequence)");
    expect(namesOf(size ?? 0)).toEqual(["sequence"]);
    expect(minDim(5, "2*sequence")).toBeUndefined();
  });
});
