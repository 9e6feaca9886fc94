import { describe, expect, it } from "vitest";
import { dataset } from "../../src/data/dataset.ts";
import { type Attributes, int, type Model, makeModel, text } from "../../src/graph/model.ts";
import { findWidths } from "../../src/growth/find/widths.ts";
import { grow } from "../../src/growth/grow/grow-model.ts";
import type { Width } from "../../src/growth/plan/width.ts";
import { newGraph } from "../../src/ops/index.ts";
import { Random } from "../../src/tensor/random.ts";
import { float32, type Tensor } from "../../src/tensor/tensor.ts";
import { adam } from "../../src/training/optimizers/adam.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";
import { verifyModels } from "../../src/training/verification/verify.ts";

interface Made {
  readonly op: "LSTM" | "GRU" | "RNN";
  readonly direction?: string;
  readonly attributes?: Attributes;
  /** Whether the initial state is trained. */
  readonly initial?: boolean;
}

const hidden = 5;
const size = 3;

/** [batch, sequence, 3] through a recurrent operator; the last step (or the final state) to two classes. */
function recurrentModel({ op, direction = "forward", attributes = {}, initial = false }: Made): Model {
  const graph = newGraph();
  const random = new Random(5, "recurrent model");
  const drawn = (name: string, dims: readonly number[]) =>
    graph.parameter(
      name,
      float32(
        dims,
        Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => 0.6 * random.normal()),
      ),
    );
  const gates = { LSTM: 4, GRU: 3, RNN: 1 }[op];
  const count = direction === "bidirectional" ? 2 : 1;
  const x = graph.input("x", { dtype: "float32", shape: ["batch", "sequence", size] });
  const first = graph.emit("Transpose", [x], { perm: { kind: "ints", value: [1, 0, 2] } });
  const state = (name: string) =>
    initial ? graph.emit("Expand", [drawn(name, [count, 1, hidden]), stateShape()]) : "";
  // [1, batch, 1], to stretch a state over the batch.
  const stateShape = () => {
    const batch = graph.emit("Shape", [x], { start: int(0), end: int(1) });
    return graph.emit("Concat", [graph.vector([1]), batch, graph.vector([1])], { axis: int(0) });
  };
  const inputs = [
    first,
    drawn("cell.weight", [count, gates * hidden, size]),
    drawn("cell.recurrent", [count, gates * hidden, hidden]),
    drawn("cell.bias", [count, 2 * gates * hidden]),
    "",
    state("cell.initial_h"),
    ...(op === "LSTM" ? [state("cell.initial_c")] : []),
  ];
  const [all = "", last = ""] = graph.emitAll(op, inputs, 2, {
    hidden_size: int(hidden),
    direction: text(direction),
    ...attributes,
  });
  // Both outputs are read: [sequence, d, batch, h] as its mean over steps, [d, batch, h] as it is.
  const mean = graph.emit("ReduceMean", [all, graph.vector([0])], { keepdims: int(0) });
  const both = graph.emit("Concat", [mean, last], { axis: int(2) });
  const rows = graph.emit("Transpose", [both], { perm: { kind: "ints", value: [1, 0, 2] } });
  const flat = graph.emit("Flatten", [rows], { axis: int(1) });
  const y = graph.emit("Gemm", [
    flat,
    drawn("head.weight", [2 * count * hidden, 2]),
    drawn("head.bias", [2]),
  ]);
  graph.output(y);
  return makeModel(graph.build(op));
}

const cellWidth = (model: Model) =>
  findWidths(model).find(({ parts }) =>
    parts.some(({ parameter }) => parameter === "cell.recurrent"),
  ) as Width;

const made: readonly [string, Made][] = [
  ["LSTM", { op: "LSTM" }],
  ["LSTM backwards, from a trained state", { op: "LSTM", direction: "reverse", initial: true }],
  ["LSTM in both directions", { op: "LSTM", direction: "bidirectional" }],
  ["GRU", { op: "GRU", attributes: { linear_before_reset: int(1) } }],
  ["GRU that resets first, in both directions", { op: "GRU", direction: "bidirectional", initial: true }],
  ["RNN", { op: "RNN", initial: true }],
];

describe("a recurrent layer grows like any other", () => {
  it.each(made)("%s: one width over gates and directions, exact", async (_, options) => {
    const model = recurrentModel(options);
    const width = cellWidth(model);
    expect([width.growable, width.size, width.unit]).toEqual([true, hidden, "state"]);
    const grown = grow(model, [{ width: width.id, by: 3 }], { seed: 2 }).model;
    const node = grown.graph.nodes.find(({ op }) => op === options.op);
    expect(node?.attributes.hidden_size).toEqual(int(hidden + 3));
    const recurrent = grown.graph.parameters.get("cell.recurrent") as Tensor;
    const gates = { LSTM: 4, GRU: 3, RNN: 1 }[options.op];
    expect(recurrent.dims.slice(1)).toEqual([gates * (hidden + 3), hidden + 3]);
    const { preserved, relative, withoutBound } = await verifyModels(model, grown);
    expect([preserved, withoutBound]).toEqual([true, ""]);
    expect(relative).toBeLessThan(1e-6);
  });

  it.each(made)("%s: trains, grows in between and trains on", async (_, options) => {
    const random = new Random(1, "sequences");
    const [count, steps] = [32, 6];
    const features = Float32Array.from({ length: count * steps * size }, () => random.normal());
    // Whether the first step's first number is positive, which takes memory to know at the end.
    const labels = Int32Array.from({ length: count }, (_, row) =>
      Number((features[row * steps * size] ?? 0) > 0),
    );
    const data = dataset({ features, labels, count, featureDims: [steps, size] });
    const model = recurrentModel(options);
    const trainer = await Trainer.create(model, {
      loss: "crossEntropy",
      optimizer: adam({ learningRate: 0.02 }),
      batchSize: count,
    });
    const before = (await trainer.evaluate(data)).loss;
    for (let step = 0; step < 40; step++) await trainer.trainStep(data);
    const between = (await trainer.evaluate(data)).loss;
    expect(between).toBeLessThan(before / 2);
    await trainer.widen(cellWidth(model).id, { by: 3 });
    expect((await trainer.evaluate(data)).loss).toBeCloseTo(between, 5);
    for (let step = 0; step < 20; step++) await trainer.trainStep(data);
    expect((await trainer.evaluate(data)).loss).toBeLessThan(between);
    await trainer.dispose();
  });
});
