import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dataset } from "../../src/data/dataset.ts";
import { Session } from "../../src/engine/session.ts";
import { encodeModel } from "../../src/formats/onnx/index.ts";
import { int, type Model, type Value } from "../../src/graph/model.ts";
import { compareOutputs } from "../../src/growth/examine/compare.ts";
import { findWidths } from "../../src/growth/find/widths.ts";
import { applyPlan } from "../../src/growth/grow/apply.ts";
import { forNewUnits } from "../../src/growth/plan/fills.ts";
import { planGrowth } from "../../src/growth/plan/plan.ts";
import type { Strategy } from "../../src/growth/plan/strategy.ts";
import { strategies } from "../../src/growth/strategies/index.ts";
import { activation } from "../../src/nn/activation.ts";
import type { Layer } from "../../src/nn/layer.ts";
import { linear } from "../../src/nn/linear.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { sequential } from "../../src/nn/sequential.ts";
import type { EspalierError } from "../../src/tensor/errors.ts";
import { Random } from "../../src/tensor/random.ts";
import { full, sizeOf, type Tensor } from "../../src/tensor/tensor.ts";
import { Evaluator } from "../../src/training/compilation/evaluator.ts";
import { sgd } from "../../src/training/optimizers/sgd.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";
import { architectures, build, growthSequence, readyMade } from "./architectures.ts";
import { integerFeatures, integerStrategy, isExact, normalFeatures, withIntegers } from "./exact-network.ts";
import { anySeed, lawRuns } from "./seed.ts";

const seconds = 1000;
const threads = fc.constantFrom(1, 2);

/** The widths in random order, so that a layer is widened before and after its neighbors. */
function grow(
  model: Model,
  growths: readonly { readonly pick: number; readonly by: number }[],
  strategy: Strategy,
  seed: number,
): Model {
  return growths.reduce((current, { pick, by }) => {
    const growable = findWidths(current).filter((width) => width.growable);
    const width = growable[pick % growable.length];
    if (width === undefined) return current;
    return applyPlan(current, planGrowth(width, { by, strategy, seed }), strategy);
  }, model);
}

/** The output of a model as any ONNX tool would run it: all sizes are numbers, all parameters constants. */
async function outputOf(model: Model, features: Tensor, sessionThreads: number): Promise<Tensor> {
  const session = await Session.create(encodeModel(model), { threads: sessionThreads });
  const name = model.graph.outputs[0]?.name as string;
  const output = (await session.run({ [model.graph.inputs[0]?.name as string]: features }, { [name]: null }))[
    name
  ];
  await session.release();
  return output as Tensor;
}

function sameBits(before: Tensor, after: Tensor): boolean {
  // +0 and -0 are one number: a sum of zeros takes the sign of its terms.
  return (
    before.data.length === after.data.length &&
    before.data.every((value, index) => value === after.data[index])
  );
}

const inputDims = (model: Model, batch: number) => [
  batch,
  ...((model.graph.inputs[0] as Value).shape.slice(1) as readonly number[]),
];

describe("preservation, exact arithmetic", () => {
  test("any network and any sequence of growths: the same bits", { timeout: 120 * seconds }, async () => {
    const tally = { exact: 0, live: 0, runs: 0 };
    await fc.assert(
      fc.asyncProperty(
        architectures({ exact: true, units: 6 }),
        growthSequence(4),
        fc.integer({ min: 1, max: 5 }),
        threads,
        anySeed,
        async (architecture, growths, batch, sessionThreads, seed) => {
          const before = withIntegers(build(architecture), seed);
          const after = grow(before, growths, integerStrategy, seed);
          expect(findWidths(before).filter((width) => width.growable).length).toBeGreaterThan(0);
          tally.runs++;
          if (!isExact(after, 2)) return;
          tally.exact++;
          const features = integerFeatures(inputDims(before, batch), seed);
          const [old, now] = [
            await outputOf(before, features, sessionThreads),
            await outputOf(after, features, sessionThreads),
          ];
          if (new Set(old.data as Float32Array).size > 1) tally.live++;
          expect(sameBits(old, now), "same bits").toBe(true);
        },
      ),
      lawRuns("preservation, exact", 600),
    );
    console.log("exact preservation:", tally);
    expect(tally.exact / tally.runs).toBeGreaterThan(0.7);
    expect(tally.live / tally.runs).toBeGreaterThan(0.4);
  });

  test("trainer.widen: the same bits, with the growing sizes left open", {
    timeout: 120 * seconds,
  }, async () => {
    let growthsSeen = 0;
    await fc.assert(
      fc.asyncProperty(
        architectures({ exact: true, units: 6 }),
        growthSequence(5),
        threads,
        anySeed,
        async (architecture, growths, sessionThreads, seed) => {
          // A training step changes the running statistics of BatchNorm, which are then no longer whole.
          const layers = architecture.layers.filter(({ kind }) => kind !== "batchNorm");
          const model = withIntegers(build({ ...architecture, layers }), seed);
          const features = integerFeatures(inputDims(model, 8), seed);
          const outputs = outputSize(model);
          const data = dataset({
            features: features.data,
            featureDims: features.dims.slice(1),
            targets: integerFeatures([8, outputs], seed + 1).data,
            targetDims: [outputs],
          });
          const trainer = await Trainer.create(model, {
            loss: "meanSquaredError",
            // Steps that change nothing keep the weights whole.
            optimizer: sgd({ learningRate: 0 }),
            batchSize: 4,
            threads: sessionThreads,
          });
          try {
            for (const { pick, by } of growths) {
              // A step gives growth its batch. Without an epsilon, BatchNorm divides by zero if a unit is
              // constant over that batch: the step is then refused and changes nothing, which serves the
              // purpose as well.
              await trainer.trainStep(data).catch((error: EspalierError) => {
                const normalized = architecture.layers.some(({ kind }) => kind === "batchNorm");
                if (!normalized || error.code !== "DIVERGED") throw error;
              });
              const growable = trainer.widths.filter((width) => width.growable);
              const width = growable[pick % growable.length]?.id as string;
              const record = await trainer.widen(width, { by, strategy: integerStrategy });
              if (!isExact(trainer.model, 2)) return;
              growthsSeen++;
              expect(record.output).toMatchObject({ identical: true, preserved: true, maxDifference: 0 });
              expect(record.loss.after).toBe(record.loss.before);
            }
          } finally {
            await trainer.dispose();
          }
        },
      ),
      lawRuns("preservation by trainer.widen, exact", 80),
    );
    console.log(`trainer.widen, exact: ${growthsSeen} growths`);
    expect(growthsSeen).toBeGreaterThan(100);
  });

  test("a residual connection: one weight grows on both its axes", async () => {
    const residual: Layer = {
      kind: "hidden",
      build({ graph, name }, input) {
        const units = graph.typeOf(input).shape[1] as number;
        const weight = graph.parameter(`${name}.weight`, full([units, units], 1));
        const inner = graph.emit("Relu", [graph.emit("Gemm", [input, weight], { transB: int(1) }, name)]);
        return graph.emit("Add", [input, inner]);
      },
    };
    const model = withIntegers(
      sequential([4], [linear(5), activation("relu"), residual, residual, linear(3)]),
      3,
    );
    const growable = findWidths(model).filter((width) => width.growable);
    expect(growable.map(({ id, parts }) => [id, parts.length])).toEqual([["hidden1", 7]]);
    const after = grow(
      model,
      [1, 3, 2].map((by) => ({ pick: 0, by })),
      integerStrategy,
      3,
    );
    expect(after.graph.parameters.get("hidden2.weight")?.dims).toEqual([11, 11]);
    const features = integerFeatures([16, 4], 3);
    const old = await outputOf(model, features, 1);
    expect(new Set(old.data as Float32Array).size).toBeGreaterThan(5);
    expect(sameBits(old, await outputOf(after, features, 1))).toBe(true);
  });

  test("wide layers and large batches, where a second thread has work", {
    timeout: 60 * seconds,
  }, async () => {
    for (const sessionThreads of [1, 2]) {
      for (const [sizes, by] of [
        [[64, 255, 10], 1],
        [[64, 256, 128, 10], 130],
        [[100, 300, 10], 213],
      ] as const) {
        const before = withIntegers(mlp(sizes), 5);
        const after = grow(
          before,
          [
            { pick: 0, by },
            { pick: 1, by: 3 },
          ],
          integerStrategy,
          5,
        );
        expect(isExact(after, 2)).toBe(true);
        const features = integerFeatures([128, sizes[0]], 5);
        expect(
          sameBits(
            await outputOf(before, features, sessionThreads),
            await outputOf(after, features, sessionThreads),
          ),
        ).toBe(true);
      }
    }
  });
});

describe("preservation, any numbers", () => {
  test("a deployed model moves by no more than its rounding bound", { timeout: 120 * seconds }, async () => {
    const ratios: number[] = [];
    const shares: number[] = [];
    let identical = 0;
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          architectures({ exact: false, units: 8 }).map((architecture) =>
            Object.assign(() => build(architecture), {
              [fc.toStringMethod]: () => JSON.stringify(architecture),
            }),
          ),
          readyMade,
        ),
        growthSequence(4),
        fc.integer({ min: 1, max: 5 }),
        threads,
        anySeed,
        async (make, growths, batch, sessionThreads, seed) => {
          const before = withNoise(make(), seed);
          const after = grow(before, growths, strategies.random, seed);
          const features = normalFeatures(inputDims(before, batch), seed);
          const old = await outputOf(before, features, sessionThreads);
          const now = await outputOf(after, features, sessionThreads);
          const bound = await boundOf(after, features, sessionThreads);
          const difference = compareOutputs(old, now, bound);
          expect(difference.withinBound, JSON.stringify(difference)).toBe(true);
          compared++;
          if (difference.identical) identical++;
          const magnitude = (old.data as Float32Array).reduce(
            (most, value) => Math.max(most, Math.abs(value)),
            0,
          );
          const largestBound = (bound.data as Float32Array).reduce((most, value) => Math.max(most, value), 0);
          ratios.push((2 * largestBound) / magnitude);
          shares.push(difference.bound === 0 ? 0 : difference.maximum / difference.bound);
        },
      ),
      lawRuns("preservation, within the bound", 350),
    );
    console.log("bound / largest output:", quantiles(ratios));
    console.log("difference / bound:", quantiles(shares), `identical ${identical} of ${compared}`);
    expect(quantiles(ratios).median).toBeLessThan(1e-2);
  });

  test("trainer.widen, several growths between steps", { timeout: 180 * seconds }, async () => {
    let growthsSeen = 0;
    let identical = 0;
    const ratios: number[] = [];
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          architectures({ exact: false, units: 6 }).map((architecture) =>
            Object.assign(() => build(architecture), {
              [fc.toStringMethod]: () => JSON.stringify(architecture),
            }),
          ),
          readyMade,
        ),
        growthSequence(5),
        threads,
        anySeed,
        async (make, growths, sessionThreads, seed) => {
          const model = make();
          const outputs = model.graph.outputs[0]?.name as string;
          expect(outputs).toBe("output");
          const data = regression(model, 12, seed);
          const trainer = await Trainer.create(model, {
            loss: "meanSquaredError",
            optimizer: sgd({ learningRate: 1e-3, momentum: 0.9 }),
            batchSize: 4,
            threads: sessionThreads,
            clipNorm: 1,
            seed: seed % 1000,
          });
          try {
            for (const { pick, by } of growths) {
              await trainer.trainStep(data);
              const growable = trainer.widths.filter((width) => width.growable);
              const width = growable[pick % growable.length];
              if (width === undefined) throw new Error("nothing can grow");
              const record = await trainer.widen(width.id, { by });
              growthsSeen++;
              if (record.output.identical) identical++;
              expect(record.output.preserved, JSON.stringify(record.output)).toBe(true);
              expect(Number.isFinite(record.output.roundingBound)).toBe(true);
              const slack = 1e-5 * (1 + Math.abs(record.loss.before));
              expect(Math.abs(record.loss.after - record.loss.before)).toBeLessThan(slack);
              expect(record.size.after - record.size.before).toBe(by);
              ratios.push(record.output.roundingBound);
            }
          } finally {
            await trainer.dispose();
          }
        },
      ),
      lawRuns("preservation by trainer.widen", 120),
    );
    console.log(
      `trainer.widen: ${growthsSeen} growths, ${identical} bit-identical; bound`,
      quantiles(ratios),
    );
  });

  test("a growth that moves the outputs is reported, or undone if it claims to preserve them", async () => {
    const broken: Strategy = {
      ...strategies.random,
      name: "broken",
      preserves: false,
      outgoing(request) {
        forNewUnits(request, (unit) => request.slices.map(unit, () => 1e-3));
      },
    };
    for (const model of [mlp([6, 5, 3]), mlp([6, 5, 4, 3], { activation: "tanh", batchNorm: true })]) {
      const trainer = await Trainer.create(model, { loss: "meanSquaredError" });
      const good = await trainer.widen("hidden1", { by: 3 });
      expect(good.output.preserved).toBe(true);
      const lying = { ...broken, preserves: true };
      await expect(trainer.widen("hidden1", { by: 3, strategy: lying })).rejects.toMatchObject({
        code: "NOT_PRESERVED",
      });
      expect(trainer.widths.find(({ id }) => id === "hidden1")?.size).toBe(8);
      const bad = await trainer.widen("hidden1", { by: 3, strategy: broken });
      expect(bad.output.preserved).toBe(false);
      expect(bad.output.identical).toBe(false);
      expect(bad.output.maxDifference).toBeGreaterThan(bad.output.roundingBound);
      await trainer.dispose();
    }
  });
});

/** Biases and statistics other than zero and one, as after training. */
function withNoise(model: Model, seed: number): Model {
  const parameters = new Map(model.graph.parameters);
  for (const [name, tensor] of parameters) {
    if (tensor.dtype !== "float32" || tensor.dims.length !== 1) continue;
    const draws = new Random(seed, `noise ${name}`);
    const data = (tensor.data as Float32Array).map((value) =>
      name.endsWith(".variance") ? 0.3 + draws.uniform() : value + 0.3 * draws.normal(),
    );
    parameters.set(name, { ...tensor, data } as Tensor);
  }
  return { ...model, graph: { ...model.graph, parameters } };
}

/** The rounding bound of a model's outputs on a batch. */
async function boundOf(model: Model, features: Tensor, sessionThreads: number): Promise<Tensor> {
  const what = { model, widths: findWidths(model), loss: "meanSquaredError" } as const;
  const evaluator = await Evaluator.create(what, { threads: sessionThreads });
  const { program } = evaluator;
  const variables = Object.fromEntries(
    program.variables.map((name) => [name, model.graph.parameters.get(name) as Tensor]),
  );
  const outputs = program.graph.typeOf(program.terms[0].output).shape[1] as number;
  const dims = [features.dims[0] as number, outputs];
  const target: Tensor = { dtype: "float32", dims, data: new Float32Array(sizeOf(dims)) };
  const batch = {
    [program.inputs[0]?.name as string]: features,
    [program.targets[0]?.input.name as string]: target,
  };
  const [bound] = (await evaluator.bounded(variables, batch)).bounds;
  await evaluator.release();
  if (bound === undefined) throw new Error("no bound");
  return bound;
}

function regression(model: Model, count: number, seed: number) {
  const features = normalFeatures(inputDims(model, count), seed);
  const outputs = outputSize(model);
  return dataset({
    features: features.data,
    featureDims: features.dims.slice(1),
    targets: normalFeatures([count, outputs], seed + 1).data,
    targetDims: [outputs],
  });
}

function outputSize(model: Model): number {
  return model.graph.outputs[0]?.shape[1] as number;
}

function quantiles(values: readonly number[]) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number;
  return { minimum: at(0), median: at(0.5), p90: at(0.9), maximum: at(1) };
}
