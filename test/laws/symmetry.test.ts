import { describe, expect, test } from "vitest";
import { dataset } from "../../src/data/dataset.ts";
import { incomingWeights } from "../../src/growth/examine/diagnose.ts";
import type { StrategyName } from "../../src/growth/strategies/index.ts";
import { cnn } from "../../src/nn/cnn.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { Random } from "../../src/tensor/random.ts";
import { adam } from "../../src/training/optimizers/adam.ts";
import type { Optimizer } from "../../src/training/optimizers/optimizer.ts";
import { sgd } from "../../src/training/optimizers/sgd.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";

/**
 * Four smooth functions of three variables with a little noise: enough directions for gradients of rank
 * three.
 */
function waves() {
  const draws = new Random(5, "waves of three");
  const count = 256;
  const features = new Float32Array(count * 3);
  const targets = new Float32Array(count * 4);
  for (let row = 0; row < count; row++) {
    const [x, y, z] = Array.from({ length: 3 }, () => 3 * draws.uniform() - 1.5) as [number, number, number];
    features.set([x, y, z], 3 * row);
    const values = [Math.sin(2 * x) * Math.cos(2 * y), Math.sin(2 * z), Math.cos(x + y + z), x * y - z];
    targets.set(
      values.map((value) => value + 0.05 * draws.normal()),
      4 * row,
    );
  }
  return dataset({ name: "waves", features, featureDims: [3], targets, targetDims: [4] });
}

const data = waves();
const old = 4;

/** 100 steps, `by` more units, and 500 more steps. */
async function grown(strategy: StrategyName, optimizer: Optimizer, by: number) {
  const model = mlp([3, old, 4], { activation: "tanh", seed: 2 });
  const trainer = await Trainer.create(model, { loss: "meanSquaredError", optimizer, batchSize: 32 });
  await trainer.fit(data, { steps: 100 });
  const record = await trainer.widen("hidden1", { by, strategy, data });
  await trainer.fit(data, { steps: 500 });
  const [diagnosis] = await trainer.diagnose(data);
  if (diagnosis === undefined) throw new Error("no diagnosis");
  const [width] = trainer.widths;
  if (width === undefined) throw new Error("no width");
  const incoming = incomingWeights(width, trainer.model.graph.parameters).map((values) => [...values]);
  await trainer.dispose();
  return { record, diagnosis, incoming };
}

interface Birth {
  readonly by: number;
  readonly bornAlike?: boolean;
}

/**
 * What each strategy says that it does: break symmetry, and at birth already or at the first step. A new strategy gets
 * its line here: the compiler asks for it. An empty list: it does not break symmetry, and a test says what it does.
 */
const births: Readonly<Record<StrategyName, readonly Birth[]>> = {
  random: [{ by: 4 }],
  uniform: [{ by: 4 }],
  orthogonal: [{ by: 4 }],
  candidates: [{ by: 4 }],
  paired: [{ by: 4, bornAlike: true }],
  vectorSplit: [
    { by: 4, bornAlike: true },
    { by: 8, bornAlike: true },
  ],
  zeroIn: [{ by: 4, bornAlike: true }],
  gradmax: [{ by: 3, bornAlike: true }],
  tiny: [{ by: 3 }],
  net2widerNoisy: [{ by: 4 }],
  // Twins under an optimizer without memory, below.
  net2wider: [],
  // The article's pitfalls: see pitfalls.test.ts.
  zeros: [],
  constant: [],
  halved: [],
};

const breaking = (Object.entries(births) as [StrategyName, readonly Birth[]][]).flatMap(([strategy, list]) =>
  list.map((birth) => [strategy, birth] as const),
);

describe.each([
  ["adam", () => adam({ learningRate: 1e-2 })],
  ["momentum", () => sgd({ learningRate: 0.05, momentum: 0.9 })],
] as const)("no new unit is dead, identical or collapsing after 500 steps of %s", (_, optimizer) => {
  test.each(breaking)("%s, %o", async (strategy, { by, bornAlike = false }) => {
    const { record, diagnosis } = await grown(strategy, optimizer(), by);
    expect(record.newUnits.length).toBe(by);
    // Zero incoming weights are equal, too; their gradients separate them.
    expect(record.identicalUnits.length > 0).toBe(bornAlike);
    expect(record.newUnits.filter(({ dead }) => dead)).toEqual([]);
    expect(diagnosis).toMatchObject({ dead: [], identical: [], collapsing: [] });
  });
});

test("net2wider's copies stay twins under an optimizer without memory", async () => {
  const { record, diagnosis, incoming } = await grown("net2wider", sgd({ learningRate: 0.1 }), 6);
  expect(record.identicalUnits.flat().length).toBeGreaterThan(6);
  const alike = [...diagnosis.identical, ...diagnosis.collapsing.map(({ units }) => [...units])];
  for (const group of record.identicalUnits) {
    const [first = 0, ...others] = group;
    for (const other of others) {
      const [a, b] = [incoming[first] as number[], incoming[other] as number[]];
      const dot = a.reduce((sum, value, index) => sum + value * (b[index] as number), 0);
      expect(dot / (Math.hypot(...a) * Math.hypot(...b))).toBeGreaterThan(1 - 1e-6);
      expect(alike.some((units) => units.includes(first) && units.includes(other))).toBe(true);
    }
  }
});

test("copies of a unit with a single outgoing weight get different shares", async () => {
  const one = dataset({
    features: new Float32Array(8),
    featureDims: [1],
    targets: new Float32Array(8),
    targetDims: [1],
  });
  const trainer = await Trainer.create(mlp([1, 4, 1], { activation: "tanh" }), { loss: "meanSquaredError" });
  await trainer.widen("hidden1", { by: 60, strategy: "vectorSplit", data: one });
  const { data: shares } = trainer.model.graph.parameters.get("output.weight") as { data: Float32Array };
  expect(new Set(shares).size).toBe(64);
  await trainer.dispose();
});

describe("candidates for several growths in a row", () => {
  test.each([
    ["mlp", () => mlp([6, 5, 4, 3]), ["hidden1", "hidden2"]],
    ["cnn", () => cnn({ input: [1, 6, 6], filters: [3], hidden: [5], classes: 3 }), ["conv1", "hidden1"]],
  ] as const)("are all distinct without a step between, %s", async (_, make, widths) => {
    const model = make();
    const draws = new Random(1, "labeled");
    const dims = (model.graph.inputs[0]?.shape ?? []).slice(1) as number[];
    const features = Float32Array.from({ length: 40 * dims.reduce((a, b) => a * b) }, () => draws.normal());
    const labels = Int32Array.from({ length: 40 }, () => draws.integer(3));
    const labeled = dataset({ features, featureDims: dims, labels });
    for (const shrinking of [false, true]) {
      const trainer = await Trainer.create(model, { seed: 3 });
      for (let growth = 0; growth < 6; growth++) {
        for (const width of widths) {
          const record = await trainer.widen(width, { by: 5, strategy: "candidates", data: labeled });
          expect(record.output.preserved).toBe(true);
          expect(record.identicalUnits).toEqual([]);
          // The number of a removed unit is not reused: the next unit must not draw the same values.
          const last = record.size.after - 1;
          if (shrinking) await trainer.shrink(width, { remove: [last] });
        }
      }
      for (const { parts, size } of trainer.widths.filter(({ id }) => widths.includes(id as never))) {
        const { parameter } = parts.find(({ role }) => role === "incoming") as { parameter: string };
        const { data: values } = trainer.model.graph.parameters.get(parameter) as { data: Float32Array };
        const units = Array.from({ length: size }, (_, unit) =>
          // Both networks have the units along the first axis; other growth is on later axes.
          values.subarray((unit * values.length) / size, ((unit + 1) * values.length) / size).join(),
        );
        expect(new Set(units).size).toBe(size);
      }
      await trainer.dispose();
    }
  });
});
