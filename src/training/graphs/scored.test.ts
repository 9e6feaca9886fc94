import { describe, expect, it } from "vitest";
import { dataset } from "../../data/dataset.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Shape } from "../../graph/dim.ts";
import { int, type Model, makeModel } from "../../graph/model.ts";
import { newGraph } from "../../ops/index.ts";
import { Random } from "../../tensor/random.ts";
import { float32, int64 } from "../../tensor/tensor.ts";
import type { LossName } from "../losses/index.ts";
import { sgd } from "../optimizers/sgd.ts";
import { Trainer } from "../trainer/trainer.ts";

type End = (graph: GraphBuilder, logits: string) => string;

/** Two features, 6 hidden units, `units` logits, and what `end` makes of them. */
function model(units: number, end: End, shape: Shape = ["batch", 2]): Model {
  const graph = newGraph();
  const draws = new Random(3, "weights");
  const normal = (...dims: number[]) =>
    float32(
      dims,
      Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => draws.normal()),
    );
  const x = graph.input("x", { dtype: "float32", shape });
  const hidden = graph.emit("Tanh", [graph.emit("MatMul", [x, graph.parameter("w1", normal(2, 6))])]);
  const product = graph.emit("MatMul", [hidden, graph.parameter("w2", normal(6, units))]);
  const logits = graph.emit("Add", [product, graph.parameter("b2", normal(units))], {}, "logits");
  graph.add({
    name: "end",
    op: "Identity",
    domain: "",
    inputs: [end(graph, logits)],
    outputs: ["y"],
    attributes: {},
  });
  graph.output("y");
  return makeModel(graph.build("ends"));
}

const count = 40;
const draws = new Random(5, "data");
const features = Float32Array.from({ length: count * 2 }, () => draws.normal());
const sides = Array.from({ length: count }, (_, at) => Number((features[2 * at] ?? 0) > 0));
const binary = dataset({ features, featureDims: [2], labels: sides, classes: 2 });
const three = dataset({
  features,
  featureDims: [2],
  labels: sides.map((side, at) => side + Number((features[2 * at + 1] ?? 0) > 0)),
  classes: 3,
});

/** Loss and accuracy after some steps, and outputs. */
async function trained(units: number, end: End, loss: LossName, data = binary) {
  const trainer = await Trainer.create(model(units, end), { loss, optimizer: sgd({ learningRate: 0.3 }) });
  await trainer.fit(data, { steps: 30 });
  const { loss: reached, accuracy } = await trainer.evaluate(data);
  const output = await trainer.predict([
    [0.3, -0.2],
    [-2, 1],
  ]);
  const { notes } = trainer;
  await trainer.dispose();
  return { loss: reached, accuracy, output: Array.from(output.data as Float32Array), notes };
}

const itself: End = (_, logits) => logits;
const sigmoid: End = (graph, logits) => graph.emit("Sigmoid", [logits]);
const softmax =
  (axis: number): End =>
  (graph, logits) =>
    graph.emit("Softmax", [logits], { axis: int(axis) });
const then =
  (first: End, op: string, ...others: readonly ((graph: GraphBuilder) => string)[]): End =>
  (graph, logits) =>
    graph.emit(op, [first(graph, logits), ...others.map((other) => other(graph))]);
const axes = (graph: GraphBuilder) => graph.parameter("axes", int64([1], [1]));
const shape =
  (...dims: number[]) =>
  (graph: GraphBuilder) =>
    graph.parameter("dims", int64([dims.length], dims));

describe("a loss of logits undoes the model's final link function", () => {
  it.each<[string, End]>([
    ["Sigmoid", sigmoid],
    ["Sigmoid, Squeeze", then(sigmoid, "Squeeze", axes)],
    ["Sigmoid, Reshape", then(sigmoid, "Reshape", shape(-1))],
    ["Sigmoid, Unsqueeze", then(sigmoid, "Unsqueeze", axes)],
    [
      "Sigmoid, Clip",
      then(
        sigmoid,
        "Clip",
        (graph) => graph.scalar(1e-6),
        (graph) => graph.scalar(0.999),
      ),
    ],
    ["Sigmoid, Flatten", then(sigmoid, "Flatten")],
    ["Sigmoid, Cast", (graph, logits) => graph.emit("Cast", [sigmoid(graph, logits)], { to: int(1) })],
  ])("binary cross-entropy behind %s", async (_, end) => {
    const right = await trained(1, itself, "binaryCrossEntropy");
    const { loss, accuracy, output, notes } = await trained(1, end, "binaryCrossEntropy");
    expect(loss).toBeCloseTo(right.loss, 6);
    expect(accuracy).toBe(right.accuracy);
    expect(output.every((value) => value > 0 && value < 1)).toBe(true);
    expect(notes).toEqual([expect.stringContaining("ends in Sigmoid")]);
  });

  it.each<[string, End]>([
    ["Softmax", softmax(1)],
    ["Softmax over the last axis", softmax(-1)],
    ["LogSoftmax", (graph, logits) => graph.emit("LogSoftmax", [logits], { axis: int(1) })],
    [
      "Softmax, Unsqueeze of a last axis, Squeeze",
      (graph, logits) => {
        const two = graph.vector([2]);
        return graph.emit("Squeeze", [graph.emit("Unsqueeze", [softmax(1)(graph, logits), two]), two]);
      },
    ],
  ])("cross-entropy behind %s", async (_, end) => {
    const right = await trained(3, itself, "crossEntropy", three);
    const { loss, accuracy, notes } = await trained(3, end, "crossEntropy", three);
    expect(loss).toBeCloseTo(right.loss, 6);
    expect(accuracy).toBe(right.accuracy);
    expect(notes).toHaveLength(1);
  });

  it.each<[string, End]>([
    ["1 - Sigmoid", (graph, logits) => graph.emit("Sub", [graph.scalar(1), sigmoid(graph, logits)])],
    [
      "(Tanh + 1) / 2",
      (graph, logits) => {
        const shifted = graph.emit("Add", [graph.emit("Tanh", [logits]), graph.scalar(1)]);
        return graph.emit("Mul", [shifted, graph.scalar(0.5)]);
      },
    ],
    [
      "one of two softmax units",
      (graph, logits) => {
        const both = graph.emit("Concat", [logits, graph.emit("Neg", [logits])], { axis: int(1) });
        return graph.emit("Gather", [softmax(1)(graph, both), graph.vector([0])], { axis: int(1) });
      },
    ],
  ])("takes %s for probabilities", async (_, end) => {
    const { loss, accuracy, output, notes } = await trained(1, end, "binaryCrossEntropy");
    const trainer = await Trainer.create(model(1, end), { loss: "binaryCrossEntropy" });
    const before = await trainer.predict(
      Array.from({ length: count }, (_, at) => Array.from(features.slice(2 * at, 2 * at + 2))),
    );
    const right = sides.reduce((sum, side, at) => {
      const p = before.data[at] as number;
      return sum - Math.log(side === 1 ? p : 1 - p) / count;
    }, 0);
    expect((await trainer.evaluate(binary)).loss).toBeCloseTo(right, 4);
    expect(loss).toBeLessThan(right);
    expect(accuracy).toBeGreaterThan(0.9);
    expect(output.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect(notes).toEqual([expect.stringContaining("between 0 and 1")]);
  });

  it.each<[string, number, End, LossName]>([
    ["Tanh", 1, (graph, logits) => graph.emit("Tanh", [logits]), "binaryCrossEntropy"],
    ["Softsign", 1, (graph, logits) => graph.emit("Softsign", [logits]), "binaryCrossEntropy"],
    ["three Sigmoids", 3, sigmoid, "crossEntropy"],
    ["three Tanhs", 3, (graph, logits) => graph.emit("Tanh", [logits]), "crossEntropy"],
    [
      "a mean of Softmaxes",
      3,
      (graph, logits) =>
        graph.emit("Mean", [softmax(1)(graph, logits), softmax(1)(graph, graph.emit("Neg", [logits]))]),
      "crossEntropy",
    ],
    ["LogSoftmax", 1, (graph, logits) => graph.emit("LogSoftmax", [logits]), "binaryCrossEntropy"],
  ])("refuses %s (%i units)", async (_, units, end, loss) => {
    await expect(Trainer.create(model(units, end), { loss })).rejects.toMatchObject({
      code: "ARGUMENT",
      rule: expect.stringContaining("logits"),
    });
  });

  it("refuses a Softmax over another axis than that of the classes", async () => {
    const positions = model(3, softmax(2), ["batch", 4, 2]);
    await expect(Trainer.create(positions, { loss: "crossEntropy" })).rejects.toMatchObject({
      code: "ARGUMENT",
    });
    const tokens = await Trainer.create(positions, { loss: "tokenCrossEntropy" });
    expect(tokens.notes).toHaveLength(1);
  });

  it("leaves other losses the model's own output", async () => {
    const { notes, loss } = await trained(1, sigmoid, "meanSquaredError");
    expect(notes).toEqual([]);
    expect(loss).toBeLessThan(1);
  });
});
