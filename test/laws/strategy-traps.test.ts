import { describe, expect, test } from "vitest";
import { type Dataset, dataset } from "../../src/data/dataset.ts";
import { int, ints, type Model, makeModel } from "../../src/graph/model.ts";
import { findWidths, widthOf } from "../../src/growth/find/widths.ts";
import { grow } from "../../src/growth/grow/grow-model.ts";
import { type ScoreName, scores } from "../../src/growth/scores/index.ts";
import type { StrategyName } from "../../src/growth/strategies/index.ts";
import type { ActivationName } from "../../src/nn/activation.ts";
import { cnn } from "../../src/nn/cnn.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { newGraph } from "../../src/ops/index.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";
import { normalFeatures } from "./exact-network.ts";

function dataFor(model: Model, count = 20): Dataset {
  const dims = model.graph.inputs[0]?.shape.slice(1) as readonly number[];
  const outputs = model.graph.outputs[0]?.shape.slice(1) as readonly number[];
  return dataset({
    features: normalFeatures([count, ...dims], 1).data,
    featureDims: dims,
    targets: normalFeatures([count, ...outputs], 2).data,
    targetDims: outputs,
  });
}

/** Widens in a trainer with data, and reports the result; if it is refused, nothing may have changed. */
async function widened(model: Model, width: string, strategy: StrategyName, by = 2) {
  const trainer = await Trainer.create(model, { loss: "meanSquaredError" });
  try {
    const before = trainer.model.graph.parameters;
    const outcome = await trainer.widen(width, { by, strategy, data: dataFor(model) }).then(
      (record) => ({ code: "", rule: "", preserved: record.output.preserved }),
      ({ code, rule }: { code: string; rule: string }) => ({ code, rule, preserved: undefined }),
    );
    if (outcome.code !== "") expect(trainer.model.graph.parameters).toEqual(before);
    return outcome;
  } finally {
    await trainer.dispose();
  }
}

describe("zero incoming weights", () => {
  const traps: readonly (readonly [string, Model, string, RegExp])[] = [
    ["ReLU", mlp([4, 5, 3]), "hidden1", /Relu "relu1_0" has slope 0 at zero.*dead/],
    [
      "BatchNorm",
      mlp([4, 5, 3], { activation: "tanh", batchNorm: true }),
      "hidden1",
      /one over the root of its epsilon/,
    ],
    ["sigmoid", mlp([4, 5, 3], { activation: "sigmoid" }), "hidden1", /would move the outputs/],
    ["softplus", mlp([4, 5, 3], { activation: "softplus" }), "hidden1", /would move the outputs/],
    [
      "ReLU behind a convolution",
      cnn({ input: [1, 6, 6], filters: [3], classes: 3 }),
      "conv1",
      /slope 0 at zero/,
    ],
  ];
  describe.each(["zeroIn", "gradmax"] as const)("by %s", (strategy) => {
    test.each(traps)("are refused before %s", async (_, model, width, reason) => {
      expect(await widened(model, width, strategy)).toMatchObject({
        code: "NOT_GROWABLE",
        rule: expect.stringMatching(reason),
      });
    });

    test.each(["tanh", "gelu", "elu", "leakyRelu", "openRelu"] as ActivationName[])(
      "learn behind %s",
      async (name) => {
        const model = mlp([4, 5, 3], { activation: name });
        const trainer = await Trainer.create(model, { loss: "meanSquaredError" });
        const record = await trainer.widen("hidden1", { by: 2, strategy, data: dataFor(model) });
        expect(record.output.preserved).toBe(true);
        expect(record.newUnits.filter(({ dead }) => dead)).toEqual([]);
        await trainer.dispose();
      },
    );
  });
});

/** x [batch, 4] → a stream of 5 → LayerNorm → 3 → back into the stream → LayerNorm → output. */
function layerNormStream(): Model {
  const graph = newGraph();
  const weight = (name: string, dims: readonly number[]) =>
    graph.parameter(name, normalFeatures(dims, name.length));
  const normed = (name: string, of: string) =>
    graph.emit("LayerNormalization", [of, weight(`${name}.weight`, [5]), weight(`${name}.bias`, [5])], {
      axis: int(-1),
    });
  const x = graph.input("x", { dtype: "float32", shape: ["batch", 4] });
  const stream = graph.emit("MatMul", [x, weight("stream.weight", [4, 5])]);
  const inner = graph.emit("Tanh", [
    graph.emit("MatMul", [normed("first", stream), weight("inner.weight", [5, 3])]),
  ]);
  const added = graph.emit("Add", [stream, graph.emit("MatMul", [inner, weight("back.weight", [3, 5])])]);
  graph.output(graph.emit("MatMul", [normed("last", added), weight("output.weight", [5, 2])]));
  return makeModel(graph.build("stream"));
}

/** h = tanh(x·W), read by the product of two weights: h·(A·B). */
function readByProduct(): Model {
  const graph = newGraph();
  const weight = (name: string, dims: readonly number[]) =>
    graph.parameter(name, normalFeatures(dims, name.length));
  const x = graph.input("x", { dtype: "float32", shape: ["batch", 4] });
  const h = graph.emit("Tanh", [graph.emit("MatMul", [x, weight("made.weight", [4, 5])])]);
  const product = graph.emit("MatMul", [weight("left.weight", [5, 3]), weight("right.weight", [3, 2])]);
  graph.output(graph.emit("MatMul", [h, product]));
  return makeModel(graph.build("product"));
}

/** (x·A)·(x·B)ᵀ, scores as in attention: a width over which one activation reads another. */
function scoresOfKeys(): Model {
  const graph = newGraph();
  const x = graph.input("x", { dtype: "float32", shape: ["batch", 3, 4] });
  const [queries, keys] = ["queries", "keys"].map((name) =>
    graph.emit("MatMul", [x, graph.parameter(`${name}.weight`, normalFeatures([4, 5], name.length))]),
  ) as [string, string];
  const turned = graph.emit("Transpose", [keys], { perm: ints([0, 2, 1]) });
  graph.output(graph.emit("MatMul", [queries, turned]));
  return makeModel(graph.build("scores"));
}

const partial: readonly (readonly [string, Model, string, RegExp])[] = [
  ["a stream under LayerNorm", layerNormStream(), "stream", /made by mean padding/],
  [
    "a width that a product of two weights reads",
    readByProduct(),
    "made",
    /leaves no choice of both their sides/,
  ],
  ["queries and keys", scoresOfKeys(), "queries.qk_dim", /made by zero keys/],
];

/** Whether a strategy chooses both sides of a unit. A new one gets its line here: the compiler asks for it. */
const bothSides: Readonly<Record<StrategyName, boolean>> = {
  random: false,
  uniform: false,
  orthogonal: false,
  candidates: true,
  paired: true,
  net2wider: true,
  net2widerNoisy: true,
  vectorSplit: true,
  // Refused for other reasons, above.
  zeroIn: false,
  gradmax: true,
  tiny: true,
  zeros: false,
  constant: false,
  halved: true,
};

describe("widths that do not leave both sides of a unit free", () => {
  const strategies = (Object.keys(bothSides) as StrategyName[]).filter((name) => bothSides[name]);
  test.each(partial)("%s: copies, pairs and choices are refused", async (_, model, width, reason) => {
    expect(widthOf(findWidths(model), width)).toMatchObject({ growable: true });
    for (const strategy of strategies) {
      const refused = { code: "NOT_GROWABLE", rule: expect.stringMatching(reason) };
      expect(await widened(model, width, strategy), strategy).toMatchObject(refused);
    }
    expect(await widened(model, width, "random")).toMatchObject({ code: "", preserved: true });
  });

  test.each(partial)("%s: every score says why, and gives no gains", async (_, model, width, reason) => {
    const trainer = await Trainer.create(model, { loss: "meanSquaredError" });
    for (const method of Object.keys(scores) as ScoreName[]) {
      const [score] = await trainer.score(dataFor(model), { method, widths: [width] });
      expect(score, method).toMatchObject({ gains: [], perParameter: 0, perFlop: 0 });
      expect(score?.reason, method).toMatch(reason);
    }
    await trainer.dispose();
  });

  test("data without a strategy means candidates, if the width allows them", async () => {
    for (const [model, width, strategy] of [
      [layerNormStream(), "stream", "random"],
      [layerNormStream(), "inner", "candidates"],
    ] as const) {
      const trainer = await Trainer.create(model, { loss: "meanSquaredError" });
      expect(await trainer.widen(width, { by: 2, data: dataFor(model) })).toMatchObject({ strategy });
      await trainer.dispose();
    }
  });
});

describe("scores", () => {
  test("of a width that cannot grow, or between several weights, come with the reason", async () => {
    const model = twoReaders();
    const trainer = await Trainer.create(model, { loss: "meanSquaredError" });
    const scored = async (method: ScoreName, width: string) =>
      (await trainer.score(dataFor(model), { method, widths: [width], units: 3 }))[0];
    for (const method of ["tiny", "senn"] as const) {
      expect(await scored(method, "hidden")).toMatchObject({
        gains: [],
        reason: expect.stringMatching(/one weight/),
      });
    }
    for (const method of ["candidates", "gradmax"] as const) {
      expect(await scored(method, "hidden")).toMatchObject({ reason: "" });
      expect((await scored(method, "hidden"))?.gains).toHaveLength(3);
    }
    expect(await scored("candidates", "left")).toMatchObject({
      gains: [],
      reason: expect.stringMatching(/reaches the output/),
    });
    await trainer.dispose();
  });
});

/** h = tanh(x·W), read by two weights. */
function twoReaders(): Model {
  const graph = newGraph();
  const weight = (name: string, dims: readonly number[]) =>
    graph.parameter(name, normalFeatures(dims, name.length));
  const x = graph.input("x", { dtype: "float32", shape: ["batch", 4] });
  const h = graph.emit("Tanh", [graph.emit("MatMul", [x, weight("hidden.weight", [4, 5])])]);
  const [left, right] = ["left", "right"].map((name) =>
    graph.emit("MatMul", [h, weight(`${name}.weight`, [5, 3])]),
  ) as [string, string];
  graph.output(graph.emit("Mul", [left, graph.emit("Tanh", [right])]));
  return makeModel(graph.build("two readers"));
}

describe("numbers of units", () => {
  test("pairs come in twos", async () => {
    const model = mlp([4, 5, 3]);
    const odd = { code: "ARGUMENT", rule: expect.stringMatching(/multiples of 2/) };
    expect(await widened(model, "hidden1", "paired", 3)).toMatchObject(odd);
    expect(await widened(model, "hidden1", "paired", 4)).toMatchObject({ code: "", preserved: true });
    expect(() => grow(model, [{ width: "hidden1", by: 1 }], { strategy: "paired" })).toThrow(
      expect.objectContaining({ code: "ARGUMENT" }),
    );
  });

  test.each(["gradmax", "tiny"] as const)(
    "%s makes no more units than the gradient has directions",
    async (strategy) => {
      // 4 inputs, 3 outputs: a rank of 3 at most, and of 2 where only two inputs ever vary.
      const model = mlp([4, 5, 3], { activation: "tanh" });
      const tooMany = (rank: number) => ({
        code: "ARGUMENT",
        rule: expect.stringMatching(`directions on this data: ${rank}`),
      });
      expect(await widened(model, "hidden1", strategy, 3)).toMatchObject({ code: "" });
      expect(await widened(model, "hidden1", strategy, 4)).toMatchObject(tooMany(3));
      const flat = dataFor(model);
      for (let row = 0; row < flat.count; row++) flat.features.fill(0, 4 * row + 2, 4 * row + 4);
      const trainer = await Trainer.create(model, { loss: "meanSquaredError" });
      await expect(trainer.widen("hidden1", { by: 3, strategy, data: flat })).rejects.toMatchObject(
        tooMany(2),
      );
      await trainer.widen("hidden1", { by: 2, strategy, data: flat });
      await trainer.dispose();
    },
  );
});

test.each(["candidates", "gradmax", "tiny"] as const)("%s without data is refused", async (strategy) => {
  const model = mlp([4, 5, 3], { activation: "tanh" });
  const trainer = await Trainer.create(model, { loss: "meanSquaredError" });
  const missing = { code: "ARGUMENT", rule: expect.stringMatching(/needs data/) };
  await expect(trainer.widen("hidden1", { by: 2, strategy })).rejects.toMatchObject(missing);
  expect(() => grow(model, [{ width: "hidden1", by: 2 }], { strategy })).toThrow(
    expect.objectContaining(missing),
  );
  expect(trainer.model.graph.parameters).toEqual(model.graph.parameters);
  await trainer.dispose();
});
