import { describe, expect, test } from "vitest";
import { dataset } from "../../data/dataset.ts";
import { makeModel } from "../../graph/model.ts";
import { compareOutputs } from "../../growth/examine/compare.ts";
import { newGraph } from "../../ops/index.ts";
import { float32, full } from "../../tensor/tensor.ts";
import { sgd } from "../optimizers/sgd.ts";
import { Trainer } from "../trainer/trainer.ts";
import { commit, movedBy } from "./commit.ts";

/**
 * y = w₂·(w₁·x)¹⁶ for x near 100: some new units overflow, as their weights are a hundred times as large as
 * the old.
 */
const overflowing = () => {
  const graph = newGraph();
  const x = graph.input("x", { dtype: "float32", shape: ["batch", 6] });
  const hidden = graph.emit("MatMul", [x, graph.parameter("hidden.weight", full([6, 4], 0.01))]);
  const square = (value: string) => graph.emit("Mul", [value, value]);
  const power = square(square(square(square(hidden))));
  graph.output(graph.emit("MatMul", [power, graph.parameter("out.weight", full([4, 1], 1e-13))]));
  return makeModel(graph.build("overflowing"));
};
const examples = dataset({
  features: Float32Array.from({ length: 20 * 6 }, (_, index) => 100 + 0.01 * index),
  featureDims: [6],
  targets: new Float32Array(20),
  targetDims: [1],
});
const trainerOf = (update: "kernel" | "graph") =>
  Trainer.create(overflowing(), {
    loss: "meanSquaredError",
    optimizer: sgd({ learningRate: 1e-8 }),
    frozen: ["out.weight"],
    batchSize: 20,
    update,
  });

describe.each(["kernel", "graph"] as const)(
  "a growth whose outputs are not finite, with the %s learner",
  (update) => {
    test("is undone, bit for bit, and throws", async () => {
      const trainer = await trainerOf(update);
      await trainer.fit(examples, { steps: 2 });
      const [before, loss] = [trainer.state(), (await trainer.evaluate(examples)).loss];
      expect(loss).toBeGreaterThan(0);
      await expect(trainer.widen("hidden", { by: 64, strategy: "random" })).rejects.toMatchObject({
        code: "NOT_PRESERVED",
        received: { loss: { before: expect.closeTo(loss, 5), after: Number.NaN } },
      });
      expect(trainer.state()).toEqual(before);
      expect(trainer.widths[0]?.size).toBe(4);
      expect((await trainer.evaluate(examples)).loss).toBe(loss);
      await trainer.fit(examples, { steps: 1 });
      await trainer.dispose();
    });

    test("candidates that are not finite are left out", async () => {
      const trainer = await trainerOf(update);
      await trainer.fit(examples, { steps: 1 });
      const growth = await trainer.widen("hidden", { by: 2, strategy: "candidates", data: examples });
      expect(growth.loss.after).toBe(growth.loss.before);
      const [score] = await trainer.score(examples);
      expect(score?.gains.length).toBeGreaterThan(0);
      expect(score?.gains.every(Number.isFinite)).toBe(true);
      await trainer.dispose();
    });

    test("if none is left, the growth is refused and the network goes on", async () => {
      const trainer = await trainerOf(update);
      await trainer.fit(examples, { steps: 1 });
      const growth = trainer.widen("hidden", { by: 120, strategy: "candidates", data: examples });
      await expect(growth).rejects.toMatchObject({ code: "NOT_GROWABLE" });
      await trainer.fit(examples, { steps: 1 });
      await trainer.dispose();
    });
  },
);

test("a score of curvature leaves out candidates that are not finite, not the width", async () => {
  const trainer = await trainerOf("kernel");
  await trainer.fit(examples, { steps: 1 });
  const [score] = await trainer.score(examples, { method: "senn", units: 4 });
  expect(score?.gains.length).toBe(4);
  expect(score?.gains.every(Number.isFinite)).toBe(true);
  await trainer.dispose();
});

describe("what moved", () => {
  test.each([
    ["the first", [0.6, 0.5], 0.1],
    ["the second", [0.5, 0.7], 0.2],
    ["the second, less than the first may", [50_000.3, 0.7], 0.2],
  ] as const)("of two outputs, %s", async (_, after, by) => {
    const pair = ([first, second]: readonly [number, number]) => [
      float32([2], [1, first]),
      float32([2], [1, second]),
    ];
    const before = [after[0] > 1 ? 50_000 : 0.5, 0.5] as const;
    const told = await movedBy({
      before: pair(before),
      after: pair(after),
      bounds: [0, 1].map(() => full([2], Number.POSITIVE_INFINITY)),
      exact: true,
      shaken: async () => pair(after),
    });
    expect(told.beyond).toBe(1);
    expect(told.maximum).toBeCloseTo(by, 5);
  });

  const one = (value: number) => float32([2], [1, value]);
  const told = (after: number, noise: number, exact = true) =>
    movedBy({
      before: [one(0.5)],
      after: [one(after)],
      bounds: [full([2], Number.POSITIVE_INFINITY)],
      exact,
      shaken: async () => [one(after + noise)],
    });

  test.each([
    ["a move within the noise of the network", 0.51, 0.005, 0],
    ["a move beyond it", 0.6, 0.005, 1],
    ["a move without noise", 0.51, 0, 1],
  ] as const)("%s", async (_, after, noise, beyond) => {
    expect(await told(after, noise)).toMatchObject({ beyond, undecided: 0 });
  });

  test("noise is not measured if outputs may move", async () => {
    expect(await told(0.51, 0.005, false)).toMatchObject({ beyond: 1 });
  });
});

describe("what is kept", () => {
  const outputs = (value: number) => compareOutputs(float32([1], [1]), float32([1], [value]), undefined);
  const difference = outputs(1);
  const outcome = { width: "hidden", verb: "shrunk", exact: true, loss: { before: 1, after: 1 }, difference };
  const outcomeOf = async (change: Partial<Parameters<typeof commit>[1]>) => {
    const done: string[] = [];
    const told = (what: string) => () => {
      done.push(what);
    };
    await commit({ keep: told("kept"), undo: told("undone") }, { ...outcome, ...change }).catch(() => {});
    return done.join();
  };
  const moved = outputs(1.5);

  test.each([
    ["the same outputs", {}, "kept"],
    ["an exact change that moves outputs", { difference: moved }, "undone"],
    ["one that may move them", { exact: false, difference: moved }, "kept"],
    ["one that may move them, to NaN", { exact: false, difference: outputs(Number.NaN) }, "undone"],
    ["a loss that was not finite before", { loss: { before: Number.NaN, after: Number.NaN } }, "kept"],
    ["a loss that was finite before", { exact: false, loss: { before: 1, after: Infinity } }, "undone"],
  ] as const)("%s", async (_, change, done) => {
    expect(await outcomeOf(change)).toBe(done);
  });
});
