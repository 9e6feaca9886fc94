import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeModel } from "../../src/formats/onnx/index.ts";
import type { Model } from "../../src/graph/model.ts";
import { findWidths } from "../../src/growth/find/widths.ts";
import { applyPlan } from "../../src/growth/grow/apply.ts";
import { planGrowth } from "../../src/growth/plan/plan.ts";
import { planShrink, type ShrinkRequest } from "../../src/growth/shrink/shrink-plan.ts";
import { strategies } from "../../src/growth/strategies/index.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";
import { architectures, build } from "./architectures.ts";
import { withIntegers } from "./exact-network.ts";
import { anySeed, lawRuns } from "./seed.ts";
import { dataFor, edited, range, sameBytes, shrunk, widthIn } from "./shrink-harness.ts";
import { stateText } from "./state-text.ts";

describe("a shrink on a model", () => {
  test("added units with zero outgoing weights are removed again: the same file, byte for byte", () => {
    fc.assert(
      fc.property(
        architectures({ exact: false, units: 6 }),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(9),
        (architecture, by, pick) => {
          const model = build(architecture);
          const growable = findWidths(model).filter((width) => width.growable);
          const width = growable[pick % growable.length];
          if (width === undefined) throw new Error("nothing can grow");
          const plan = planGrowth(width, { by, strategy: strategies.random, seed: 5 });
          const grown = applyPlan(model, plan, strategies.random);
          const back = shrunk(grown, width.id, { remove: range(width.size, width.size + by) });
          expect(back.plan.exactness).toBe("exact");
          expect(back.plan.gone.every(({ reason }) => reason === "its outgoing weights are all zero")).toBe(
            true,
          );
          expect(sameBytes(back.model, model)).toBe(true);
        },
      ),
      lawRuns("grow, then shrink", 200),
    );
  });

  test("copies with halved outgoing weights merge back: the same file if sums are exact", () => {
    fc.assert(
      fc.property(
        architectures({ exact: true, units: 6 }),
        fc.nat(9),
        anySeed,
        (architecture, pick, seed) => {
          const model = withIntegers(build(architecture), seed);
          const growable = findWidths(model).filter((width) => width.growable);
          const width = growable[pick % growable.length];
          if (width === undefined) throw new Error("nothing can grow");
          const { size, id } = width;
          const plan = planGrowth(width, { by: size, strategy: strategies.halved, seed });
          const grown = applyPlan(model, plan, strategies.halved);
          const merge = range(0, size).map((unit) => [unit, unit + size]);
          const back = shrunk(grown, id, { merge });
          expect(back.plan.exactness).toBe("exact");
          expect(sameBytes(back.model, model)).toBe(true);
        },
      ),
      lawRuns("copy, then merge", 200),
    );
  });

  test("a merge adds outgoing weights up in double precision", () => {
    let model = mlp([3, 4, 2], { seed: 3 });
    const third = [2 ** 24, 1, 1, 2 ** -30];
    model = edited(model, "hidden1.weight", (data) => data.set(range(0, 12).map((at) => at % 3)));
    model = edited(model, "output.weight", (data) => data.set([...third, ...third.map((value) => -value)]));
    const { model: one, plan } = shrunk(model, "hidden1", { merge: [[2, 0, 1, 3]] });
    expect(plan.to).toBe(1);
    // In single precision, adding 1 and 1 to 2²⁴ one by one would lose both.
    expect(one.graph.parameters.get("output.weight")).toEqual(float32([2, 1], [2 ** 24 + 2, -(2 ** 24) - 2]));
    expect(one.graph.parameters.get("hidden1.weight")).toEqual(float32([1, 3], [0, 1, 2]));
  });

  test("being zero on every input is proof, being zero on the data is not", async () => {
    const zero = (model: Model, bias: number) => {
      const made = edited(model, "hidden1.weight", (data) => data.fill(0, 3, 6));
      return edited(made, "hidden1.bias", (data) => data.fill(bias, 1, 2));
    };
    const proved = zero(mlp([3, 4, 2], { activation: "tanh" }), 0);
    expect(shrunk(proved, "hidden1", { remove: [1] }).plan.gone).toEqual([
      { unit: 1, exactness: "exact", reason: "it is zero on every input" },
    ]);
    // σ(0) = ½: it is the same for every input, but not zero.
    const half = zero(mlp([3, 4, 2], { activation: "sigmoid" }), 0);
    expect(() => shrunk(half, "hidden1", { remove: [1] })).toThrow(/cannot go without changing/);
    const silent = zero(mlp([3, 4, 2]), -1);
    expect(() => shrunk(silent, "hidden1", { remove: [1] })).toThrow(/cannot go without changing/);
    const trainer = await Trainer.create(silent, { loss: "meanSquaredError" });
    const record = await trainer.shrink("hidden1", { remove: "dead" });
    expect(record).toMatchObject({
      exactness: "on the data seen",
      choice: "dead",
      size: { before: 4, after: 3 },
      output: { preserved: true, maxDifference: 0 },
    });
    expect(record.plan.gone).toEqual([
      { unit: 1, exactness: "on the data seen", reason: "zero on all 32 examples seen" },
    ]);
    await trainer.dispose();
  });

  test("a zero gradient alone is no reason to remove a unit", async () => {
    // After a layer that is dead on the batch nothing has a gradient, but the layer has an effect.
    let model = mlp([3, 4, 2, 1]);
    model = edited(model, "hidden2.weight", (data) => data.fill(0));
    model = edited(model, "hidden2.bias", (data) => data.fill(-1));
    const trainer = await Trainer.create(model, { loss: "meanSquaredError" });
    const dead = (await trainer.diagnose()).find(({ width }) => width === "hidden1")?.dead ?? [];
    expect(dead.length).toBe(4);
    // Their outgoing weights are all zero, which is a proof; otherwise it would not be.
    expect((await trainer.shrink("hidden1", { remove: [0] })).exactness).toBe("exact");
    await trainer.dispose();
    const reading = edited(model, "hidden2.weight", (data) => data.fill(1e-3));
    const other = await Trainer.create(
      edited(reading, "hidden2.bias", (data) => data.fill(-50)),
      { loss: "meanSquaredError" },
    );
    await expect(other.shrink("hidden1", { remove: "dead" })).rejects.toMatchObject({
      code: "NOT_SHRINKABLE",
    });
    await other.dispose();
  });
});

describe("what cannot shrink is refused, and nothing changes", () => {
  const hostile: [string, ShrinkRequest, string][] = [
    ["all units", { remove: [0, 1, 2, 3] }, "ARGUMENT"],
    ["no unit", {}, "ARGUMENT"],
    ["a unit that is not there", { remove: [4] }, "ARGUMENT"],
    ["a negative unit", { remove: [-1] }, "ARGUMENT"],
    ["half a unit", { remove: [0.5] }, "ARGUMENT"],
    ["NaN", { remove: [Number.NaN] }, "ARGUMENT"],
    ["a unit twice", { remove: [1, 1] }, "ARGUMENT"],
    ["a unit removed and merged", { remove: [1], merge: [[0, 1]] }, "ARGUMENT"],
    [
      "a unit merged into two",
      {
        merge: [
          [0, 1],
          [2, 1],
        ],
      },
      "ARGUMENT",
    ],
    [
      "a chain of merges",
      {
        merge: [
          [0, 1],
          [1, 2],
        ],
      },
      "ARGUMENT",
    ],
    ["a group of one", { merge: [[0]] }, "ARGUMENT"],
    ["a group of none", { merge: [[]] }, "ARGUMENT"],
    ["a unit that the network needs", { remove: [1] }, "NOT_SHRINKABLE"],
    ["units that differ", { merge: [[0, 1]] }, "NOT_SHRINKABLE"],
  ];
  test.each(hostile)("%s", async (_, request, code) => {
    const model = mlp([3, 4, 2]);
    const before = encodeModel(model);
    const thrown = (() => {
      try {
        planShrink(model, widthIn(model, "hidden1"), request);
      } catch (error) {
        return error;
      }
      return undefined;
    })();
    expect(thrown).toMatchObject({ code });
    expect(encodeModel(model)).toEqual(before);
  });

  test("by the trainer", async () => {
    const trainer = await Trainer.create(mlp([3, 4, 2]), { loss: "meanSquaredError" });
    await trainer.fit(dataFor(mlp([3, 4, 2]), 8, 1), { steps: 3 });
    const before = stateText(trainer.state());
    for (const [width, choice, code] of [
      ["nothing", { remove: "dead" }, "UNKNOWN_WIDTH"],
      ["output", { remove: [0] }, "NOT_SHRINKABLE"],
      ["hidden1", { remove: "identical" }, "NOT_SHRINKABLE"],
      ["hidden1", { remove: "collapsing" }, "NOT_SHRINKABLE"],
      ["hidden1", { remove: [0] }, "NOT_SHRINKABLE"],
      ["hidden1", { remove: { least: 4, by: "taylor" } }, "ARGUMENT"],
      ["hidden1", { remove: { least: 0, by: "taylor" } }, "ARGUMENT"],
      ["hidden1", { remove: { least: 1, by: "luck" } }, "ARGUMENT"],
      ["hidden1", { merge: [[0, 1]] }, "NOT_SHRINKABLE"],
    ] as const) {
      await expect(
        trainer.shrink(width, choice as never),
        `${width} ${JSON.stringify(choice)}`,
      ).rejects.toMatchObject({
        code,
      });
    }
    expect(stateText(trainer.state())).toBe(before);
    await trainer.dispose();
  });
});
