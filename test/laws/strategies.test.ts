import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dataset } from "../../src/data/dataset.ts";
import { Session } from "../../src/engine/session.ts";
import { encodeModel } from "../../src/formats/onnx/index.ts";
import { type Model, type Value, withParameters } from "../../src/graph/model.ts";
import { incomingWeights } from "../../src/growth/examine/diagnose.ts";
import { findWidths } from "../../src/growth/find/widths.ts";
import { applyPlan } from "../../src/growth/grow/apply.ts";
import { grow } from "../../src/growth/grow/grow-model.ts";
import { decodeValues, encodeValues } from "../../src/growth/plan/choice.ts";
import { type Fill, forNewUnits } from "../../src/growth/plan/fills.ts";
import { planGrowth } from "../../src/growth/plan/plan.ts";
import type { Strategy } from "../../src/growth/plan/strategy.ts";
import type { Width } from "../../src/growth/plan/width.ts";
import { type StrategyName, strategies } from "../../src/growth/strategies/index.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { EspalierError } from "../../src/tensor/errors.ts";
import type { Random } from "../../src/tensor/random.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { sgd } from "../../src/training/optimizers/sgd.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";
import { architectures, build, growthSequence, readyMade } from "./architectures.ts";
import { integerFeatures, isExact, normalFeatures, withIntegers } from "./exact-network.ts";
import { anySeed, lawRuns } from "./seed.ts";

const seconds = 1000;
const threads = fc.constantFrom(1, 2);

/** Every strategy that promises to preserve outputs. */
const preserving = (Object.keys(strategies) as StrategyName[]).filter((name) => strategies[name].preserves);

/** The next whole number away from zero, so that nothing nonzero becomes zero. */
const awayFromZero = (value: number) => Math.sign(value) * Math.ceil(Math.abs(value));

/** The same draws as whole numbers, so that sums of them are exact. */
function whole(strategy: Strategy): Strategy {
  const rounded =
    (fill: Fill): Fill =>
    (request) => {
      fill(request);
      forNewUnits(request, (unit) => request.slices.map(unit, awayFromZero));
    };
  const { choose } = strategy;
  return {
    ...strategy,
    incoming: rounded(strategy.incoming),
    outgoing: rounded(strategy.outgoing),
    ...(choose === undefined
      ? {}
      : {
          async choose(probe, request) {
            const { values, ...picks } = await choose(probe, request);
            if (values === undefined) return picks;
            const round = (text: string) => encodeValues(decodeValues(text).map(awayFromZero));
            const entries = Object.entries(values).map(([key, text]) => [key, round(text)]);
            return { ...picks, values: Object.fromEntries(entries) };
          },
        }),
  };
}

/** Shares on a coarse grid, of eighths. */
function coarse(strategy: Strategy): Strategy {
  return {
    ...strategy,
    outgoing: (request) =>
      strategy.outgoing({
        ...request,
        random: (unit) => {
          const draws = request.random(unit);
          return { normal: () => Math.round(8 * draws.normal()) / 8 } as Random;
        },
      }),
  };
}

/** Strategies whose arithmetic is exact on whole weights. Copies and their quotients already are. */
const exactly: Readonly<Record<string, Strategy>> = Object.fromEntries(
  preserving.map((name): [string, Strategy] => {
    const strategy: Strategy = strategies[name];
    if (name === "vectorSplit") return [name, coarse(strategy)];
    if (name === "net2wider" || name === "halved") return [name, strategy];
    return [name, whole(strategy)];
  }),
);

/** Multiplies whole weights so that shares of them are whole: 24 is divisible by most numbers of copies. */
const multiples: Readonly<Record<string, number>> = { net2wider: 24, halved: 24, vectorSplit: 16 };

function wholeModel(model: Model, strategy: string, seed: number): Model {
  const integers = withIntegers(model, seed);
  const factor = multiples[strategy] ?? 1;
  const scaled = [...integers.graph.parameters].map(([name, tensor]): [string, Tensor] => {
    if (!name.endsWith(".weight") || tensor.dims.length < 2) return [name, tensor];
    return [
      name,
      { ...tensor, data: (tensor.data as Float32Array).map((value) => factor * value) } as Tensor,
    ];
  });
  return withParameters(integers, new Map(scaled));
}

/** Whether every weight is whole; single numbers (a dropout's ratio) are not weights. */
const isWhole = ({ graph }: Model) =>
  [...graph.parameters.values()].every(
    ({ dtype, dims, data }) =>
      dtype !== "float32" || dims.length === 0 || (data as Float32Array).every(Number.isInteger),
  );

/** How often each strategy grew something, and why it refused. */
class Tally {
  readonly grown = new Map<string, number>();
  readonly refused = new Map<string, number>();

  async count<T>(name: string, grow: () => T | Promise<T>): Promise<T | undefined> {
    try {
      const result = await grow();
      this.grown.set(name, (this.grown.get(name) ?? 0) + 1);
      return result;
    } catch (error) {
      if (!(error instanceof EspalierError)) throw error;
      // Nothing else may stop a strategy: the width can grow, and the number fits.
      expect(error.rule).toMatch(
        /slope 0|would move the outputs|root of its epsilon|directions on this data/,
      );
      this.refused.set(name, (this.refused.get(name) ?? 0) + 1);
      return undefined;
    }
  }

  expectEach(least: number): void {
    console.log("grown:", Object.fromEntries(this.grown), "refused:", Object.fromEntries(this.refused));
    for (const name of preserving) expect(this.grown.get(name) ?? 0, name).toBeGreaterThanOrEqual(least);
  }
}

const fitting = ({ multiple = 1 }: Strategy, by: number) => Math.ceil(by / multiple) * multiple;

/** The output of a model as any ONNX tool would run it. */
async function outputOf(model: Model, features: Tensor, sessionThreads: number): Promise<Float32Array> {
  const session = await Session.create(encodeModel(model), { threads: sessionThreads });
  const name = model.graph.outputs[0]?.name as string;
  const feeds = { [model.graph.inputs[0]?.name as string]: features };
  const { data } = (await session.run(feeds, { [name]: null }))[name] as Tensor<"float32">;
  await session.release();
  return data;
}

const inputDims = (model: Model, batch: number) => [
  batch,
  ...((model.graph.inputs[0] as Value).shape.slice(1) as readonly number[]),
];

function regression(model: Model, count: number, seed: number, features: typeof normalFeatures) {
  const given = features(inputDims(model, count), seed);
  const outputs = model.graph.outputs[0]?.shape[1] as number;
  return dataset({
    features: given.data,
    featureDims: given.dims.slice(1),
    targets: features([count, outputs], seed + 1).data,
    targetDims: [outputs],
  });
}

describe("preservation by every strategy, exact arithmetic", () => {
  test("a deployed model gives the same bits", { timeout: 240 * seconds }, async () => {
    const [tally, compared] = [new Tally(), new Map<string, number>()];
    const drawable = preserving.filter((name) => name !== "gradmax");
    let live = 0;
    await fc.assert(
      fc.asyncProperty(
        architectures({ exact: true, units: 6 }),
        growthSequence(2),
        // These need gradients to choose by, so they are tested with the trainer below.
        fc.constantFrom(...drawable),
        threads,
        anySeed,
        async (architecture, growths, name, sessionThreads, seed) => {
          const before = wholeModel(build(architecture), name, seed);
          const strategy = exactly[name] as Strategy;
          let after = before;
          for (const { pick, by } of growths) {
            const growable = findWidths(after).filter((width) => width.growable);
            const width = growable[pick % growable.length];
            if (width === undefined) throw new Error("nothing can grow");
            await tally.count(name, () => {
              const units = fitting(strategy, by);
              const picks = Array.from({ length: units }, (_, index) => 3 * index);
              const choice = strategy.choose === undefined ? undefined : { picks };
              const plan = planGrowth(width, { by: units, strategy, seed, choice });
              after = applyPlan(after, plan, strategy);
            });
          }
          if (after === before || !isWhole(after) || !isExact(after, 2)) return;
          const features = integerFeatures(inputDims(before, 4), seed);
          const old = await outputOf(before, features, sessionThreads);
          const now = await outputOf(after, features, sessionThreads);
          // +0 and -0 are one number.
          expect(
            old.every((value, index) => value === now[index]),
            `${name} keeps the bits`,
          ).toBe(true);
          expect(now.length).toBe(old.length);
          compared.set(name, (compared.get(name) ?? 0) + 1);
          if (new Set(old).size > 1) live++;
        },
      ),
      // As many for each strategy, however many there are.
      lawRuns("preservation by strategies, exact", 70 * drawable.length),
    );
    tally.expectEach(0);
    const counts = Object.fromEntries(compared);
    console.log("compared bit for bit:", counts, `outputs that differ from one another: ${live}`);
    for (const name of drawable) expect(counts[name] ?? 0, name).toBeGreaterThan(15);
    expect(live).toBeGreaterThan(15 * drawable.length);
  });

  test("trainer.widen on data gives the same bits", { timeout: 240 * seconds }, async () => {
    const [tally, compared] = [new Tally(), new Map<string, number>()];
    await fc.assert(
      fc.asyncProperty(
        architectures({ exact: true, units: 6 }),
        growthSequence(2),
        fc.constantFrom(...preserving, "gradmax", "candidates", "zeroIn"),
        threads,
        anySeed,
        async (architecture, growths, name, sessionThreads, seed) => {
          const layers = architecture.layers.filter(({ kind }) => kind !== "batchNorm");
          const model = wholeModel(build({ ...architecture, layers }), name, seed);
          const strategy = exactly[name] as Strategy;
          const data = regression(model, 8, seed, integerFeatures);
          const trainer = await Trainer.create(model, {
            loss: "meanSquaredError",
            // Steps that change nothing keep the weights whole; one step gives growth its batch.
            optimizer: sgd({ learningRate: 0 }),
            batchSize: 4,
            threads: sessionThreads,
            seed: seed % 1000,
          });
          try {
            await trainer.trainStep(data);
            for (const { pick, by } of growths) {
              const growable = trainer.widths.filter((width) => width.growable);
              const width = growable[pick % growable.length]?.id as string;
              const units = name === "gradmax" ? 1 : fitting(strategy, by);
              const record = await tally.count(name, () =>
                trainer.widen(width, { by: units, strategy, data }),
              );
              if (record === undefined) continue;
              if (!isWhole(trainer.model) || !isExact(trainer.model, 2)) return;
              compared.set(name, (compared.get(name) ?? 0) + 1);
              expect(record.output, name).toMatchObject({
                identical: true,
                preserved: true,
                maxDifference: 0,
              });
              expect(record.loss.after).toBe(record.loss.before);
            }
          } finally {
            await trainer.dispose();
          }
        },
      ),
      lawRuns("preservation by strategies in the trainer, exact", 18 * preserving.length),
    );
    tally.expectEach(5);
    const counts = Object.fromEntries(compared);
    console.log("compared bit for bit:", counts);
    for (const name of preserving) expect(counts[name] ?? 0, name).toBeGreaterThanOrEqual(3);
  });
});

test("preservation by every strategy, any numbers, through trainer.widen", {
  timeout: 300 * seconds,
}, async () => {
  const tally = new Tally();
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
      growthSequence(3),
      fc.array(fc.constantFrom(...preserving, "gradmax" as const, "gradmax" as const), {
        minLength: 3,
        maxLength: 3,
      }),
      threads,
      anySeed,
      async (make, growths, names, sessionThreads, seed) => {
        const model = make();
        const data = regression(model, 12, seed, normalFeatures);
        const trainer = await Trainer.create(model, {
          loss: "meanSquaredError",
          optimizer: sgd({ learningRate: 1e-3, momentum: 0.9 }),
          batchSize: 4,
          threads: sessionThreads,
          clipNorm: 1,
          seed: seed % 1000,
        });
        try {
          for (const [turn, { pick, by }] of growths.entries()) {
            const name = names[turn] as StrategyName;
            await trainer.trainStep(data);
            const growable = trainer.widths.filter((width) => width.growable);
            const width = growable[pick % growable.length]?.id as string;
            const units = name === "gradmax" ? Math.min(by, 2) : fitting(strategies[name], by);
            const record = await tally.count(name, () =>
              trainer.widen(width, { by: units, strategy: name, data, batchSize: 5 }),
            );
            if (record === undefined) continue;
            expect(record.output.preserved, `${name}: ${JSON.stringify(record.output)}`).toBe(true);
            const slack = 1e-5 * (1 + Math.abs(record.loss.before));
            expect(Math.abs(record.loss.after - record.loss.before)).toBeLessThan(slack);
            expect(record.size.after - record.size.before).toBe(units);
          }
        } finally {
          await trainer.dispose();
        }
      },
    ),
    lawRuns("preservation by strategies in the trainer", 27 * preserving.length),
  );
  tally.expectEach(10);
});

describe("orthogonal", () => {
  const grownBy = (...growths: readonly number[]) =>
    grow(
      mlp([12, 4, 3], { seed: 1 }),
      growths.map((by) => ({ width: "hidden1", by })),
      { strategy: "orthogonal", seed: 9 },
    ).model;
  const rowsOf = (model: Model) =>
    incomingWeights(findWidths(model)[0] as Width, model.graph.parameters).map((row) => [...row]);
  const dot = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);

  test("units have nothing in common with those before them, as far as the fan-in allows", () => {
    const rows = rowsOf(grownBy(14));
    for (const [unit, row] of rows.entries()) {
      if (unit < 4) continue;
      expect(Math.sqrt(dot(row, row))).toBeCloseTo(Math.SQRT2, 6);
      // Twelve inputs have twelve orthogonal directions; the thirteenth unit starts again.
      const before = rows.slice(unit < 12 ? 0 : 12, unit);
      for (const other of before) expect(Math.abs(dot(row, other))).toBeLessThan(1e-6);
    }
    expect(rows.length).toBe(18);
  });

  test("two growths give what one of their sum gives", () => {
    expect(rowsOf(grownBy(5, 9))).toEqual(rowsOf(grownBy(14)));
  });
});
