import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dataset } from "../../src/data/dataset.ts";
import { unitPositions } from "../../src/graph/layout.ts";
import type { Model } from "../../src/graph/model.ts";
import { identicalUnits, incomingWeights } from "../../src/growth/examine/diagnose.ts";
import { findWidths, widthOf } from "../../src/growth/find/widths.ts";
import { applyPlan } from "../../src/growth/grow/apply.ts";
import { type GrowthPlan, planGrowth } from "../../src/growth/plan/plan.ts";
import { Slices } from "../../src/growth/plan/slices.ts";
import type { Strategy } from "../../src/growth/plan/strategy.ts";
import { constant } from "../../src/growth/strategies/constant.ts";
import { random } from "../../src/growth/strategies/random.ts";
import { zeros } from "../../src/growth/strategies/zeros.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { float32, type Tensor } from "../../src/tensor/tensor.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";
import { architectures, build, growthSequence } from "./architectures.ts";
import { normalFeatures } from "./exact-network.ts";
import { anySeed, lawRuns } from "./seed.ts";

const seconds = 1000;

function widen(model: Model, width: string, by: number, strategy: Strategy, seed: number): Model {
  return applyPlan(model, planGrowth(widthOf(findWidths(model), width), { by, strategy, seed }), strategy);
}

function dataFor(model: Model, count: number, seed: number) {
  const dims = model.graph.inputs[0]?.shape.slice(1) as readonly number[];
  const outputs = model.graph.outputs[0]?.shape[1] as number;
  return dataset({
    features: normalFeatures([count, ...dims], seed).data,
    featureDims: dims,
    targets: normalFeatures([count, outputs], seed + 1).data,
    targetDims: [outputs],
  });
}

describe("learnability and distinctness", () => {
  test("a new unit has a gradient on its outgoing weights or is reported dead; no two are alike", {
    timeout: 120 * seconds,
  }, async () => {
    const tally = { alive: 0, dead: 0 };
    await fc.assert(
      fc.asyncProperty(
        architectures({ exact: false, units: 6 }),
        growthSequence(3),
        anySeed,
        async (architecture, growths, seed) => {
          const model = build(architecture);
          const trainer = await Trainer.create(model, { loss: "meanSquaredError", seed: seed % 997 });
          try {
            for (const { pick, by } of growths) {
              await trainer.trainStep(dataFor(model, 16, seed));
              const growable = trainer.widths.filter((width) => width.growable);
              const id = growable[pick % growable.length]?.id as string;
              const record = await trainer.widen(id, { by });
              const width = widthOf(trainer.widths, id);
              expect(record.identicalUnits).toEqual([]);
              // Independent of the report: all incoming rows differ, old ones included. A row of one weight can
              // be told from another too, as draws have more than 2²³ values.
              const rows = incomingWeights(width, trainer.model.graph.parameters).map((row) => row.join());
              expect(new Set(rows).size).toBe(rows.length);
              for (const unit of record.newUnits) {
                if (unit.dead) tally.dead++;
                else {
                  tally.alive++;
                  expect(unit.gradientNorm).toBeGreaterThan(0);
                }
              }
              // At first only the outgoing side learns: a step must move the outgoing weights of units that
              // are not dead.
              const before = trainer.model;
              await trainer.trainStep(dataFor(model, 16, seed));
              const plan = record.plan;
              for (const { unit, dead } of record.newUnits) {
                if (dead || model.graph.nodes.some((node) => node.op === "Dropout")) continue;
                expect(outgoingOf(before, plan, unit).every((value) => value === 0)).toBe(true);
                expect(outgoingOf(trainer.model, plan, unit).some((value) => value !== 0)).toBe(true);
              }
            }
          } finally {
            await trainer.dispose();
          }
        },
      ),
      lawRuns("learnability and distinctness", 60),
    );
    console.log("new units:", tally);
    expect(tally.alive).toBeGreaterThan(4 * tally.dead);
  });

  test("a unit that no example activates is reported dead, and no other", async () => {
    // One feature, always positive: about half of all ReLU units are never active.
    const model = mlp([1, 4, 2]);
    const data = dataset({
      features: Float32Array.from({ length: 16 }, (_, index) => 1 + index / 16),
      featureDims: [1],
      targets: normalFeatures([16, 2], 3).data,
      targetDims: [2],
    });
    const trainer = await Trainer.create(model, { loss: "meanSquaredError", batchSize: 16 });
    await trainer.trainStep(data);
    const record = await trainer.widen("hidden1", { by: 32 });
    const weights = trainer.model.graph.parameters.get("hidden1.weight")?.data as Float32Array;
    for (const { unit, dead } of record.newUnits) expect(dead).toBe((weights[unit] as number) < 0);
    expect(record.newUnits.filter(({ dead }) => dead).length).toBeGreaterThan(5);
    expect(record.newUnits.filter(({ dead }) => !dead).length).toBeGreaterThan(5);
    await trainer.dispose();
  });

  test("growing one width again and again never repeats a unit", () => {
    let model = mlp([3, 2, 2]);
    for (let growth = 0; growth < 100; growth++) model = widen(model, "hidden1", 1 + (growth % 7), random, 0);
    const width = widthOf(findWidths(model), "hidden1");
    expect(identicalUnits(width, model.graph.parameters)).toEqual([]);
    const weights = model.graph.parameters.get("hidden1.weight")?.data as Float32Array;
    expect(new Set(weights).size).toBe(weights.length);
  });

  test("equality is reported", async () => {
    const trainer = await Trainer.create(mlp([3, 2, 2]));
    expect((await trainer.widen("hidden1", { by: 3, strategy: "constant" })).identicalUnits).toEqual([
      [2, 3, 4],
    ]);
    const dead = await trainer.widen("hidden1", { by: 2, strategy: "zeros" });
    expect(dead.newUnits.map((unit) => unit.dead)).toEqual([true, true]);
    const copies = await trainer.widen("hidden1", { by: 1, strategy: "halved" });
    expect(copies.identicalUnits).toEqual([[0, 7]]);
    await trainer.dispose();
  });

  test("units are equal to their last weight, or not at all", () => {
    const model = mlp([100, 4, 2]);
    const { data } = model.graph.parameters.get("hidden1.weight") as Tensor<"float32">;
    // Units 0 and 2 are equal, 1 and 3 too, and the two pairs differ from one another in the last weight alone.
    const weights = data.map((_, index) => (data[index % 100] as number) + Number(index % 200 === 199));
    const parameters = new Map([["hidden1.weight", float32([4, 100], weights)]]);
    const width = widthOf(findWidths(model), "hidden1");
    expect(identicalUnits(width, parameters)).toEqual([
      [0, 2],
      [1, 3],
    ]);
  });
});

describe("composition", () => {
  test("widening by a and then by b is widening by a + b, bit for bit", { timeout: 60 * seconds }, () => {
    fc.assert(
      fc.property(
        architectures({ exact: false, units: 6 }),
        fc.constantFrom(random, zeros, constant),
        fc.nat(5),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        anySeed,
        (architecture, strategy, pick, a, b, seed) => {
          const model = build(architecture);
          const growable = findWidths(model).filter((width) => width.growable);
          const id = growable[pick % growable.length]?.id as string;
          const twice = widen(widen(model, id, a, strategy, seed), id, b, strategy, seed);
          const once = widen(model, id, a + b, strategy, seed);
          expect([...twice.graph.parameters.keys()]).toEqual([...once.graph.parameters.keys()]);
          for (const [name, tensor] of once.graph.parameters) {
            const other = twice.graph.parameters.get(name) as Tensor;
            expect(other.dims).toEqual(tensor.dims);
            expect(Buffer.from(bytesOf(other)).equals(Buffer.from(bytesOf(tensor))), name).toBe(true);
          }
        },
      ),
      lawRuns("composition", 500),
    );
  });

  test("different widths commute if neither affects the other's fan-in", () => {
    const model = mlp([4, 3, 3, 3, 2]);
    const one = widen(widen(model, "hidden1", 2, random, 1), "hidden3", 3, random, 1);
    const other = widen(widen(model, "hidden3", 3, random, 1), "hidden1", 2, random, 1);
    for (const [name, tensor] of one.graph.parameters) {
      expect(
        Buffer.from(bytesOf(other.graph.parameters.get(name) as Tensor)).equals(Buffer.from(bytesOf(tensor))),
      ).toBe(true);
    }
  });
});

function bytesOf(tensor: Tensor): Uint8Array {
  return new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
}

/** The outgoing weights of one unit. */
function outgoingOf(model: Model, plan: GrowthPlan, unit: number): readonly number[] {
  return plan.edits
    .filter((edit) => edit.role === "outgoing")
    .flatMap((edit) => {
      const tensor = model.graph.parameters.get(edit.parameter) as Tensor<"float32">;
      const slices = new Slices(edit.parameter, tensor, edit.axis, unitPositions(edit.layout, plan.to));
      return [...slices.get(unit)];
    });
}
