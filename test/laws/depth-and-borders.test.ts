import { describe, expect, it } from "vitest";
import { digits } from "../../src/data/digits.ts";
import type { Model } from "../../src/graph/model.ts";
import { ioWidths } from "../../src/growth/find/io-widths.ts";
import { findWidths, widthOf } from "../../src/growth/find/widths.ts";
import { applyPlan } from "../../src/growth/grow/apply.ts";
import { deepenModel } from "../../src/growth/grow/deepen.ts";
import { planGrowth } from "../../src/growth/plan/plan.ts";
import { random } from "../../src/growth/strategies/random.ts";
import { cnn } from "../../src/nn/cnn.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";
import { verifyModels } from "../../src/training/verification/verify.ts";

const image = () =>
  cnn({ input: [1, 8, 8], filters: [5, 6], hidden: [7], classes: 4, batchNorm: true, seed: 3 });

async function expectSame(before: Model, after: Model): Promise<void> {
  const verification = await verifyModels(before, after);
  expect(verification.preserved).toBe(true);
}

describe("depth", () => {
  it.each([
    ["an MLP", () => mlp([6, 9, 5], { seed: 1, activation: "tanh" }), "hidden1"],
    ["channels of a CNN", image, "conv1"],
    ["a layer behind a flatten", image, "hidden1"],
  ])("a block behind %s changes no bit, and can be widened", async (_, make, id) => {
    const model = make();
    const deeper = deepenModel(model, widthOf(findWidths(model), id), { by: 2, hidden: 4, seed: 5 });
    expect((await verifyModels(model, deeper)).identical).toBe(true);
    expect(deeper.graph.nodes.length).toBeGreaterThan(model.graph.nodes.length);
    const inner = findWidths(deeper).filter((width) => width.id.startsWith(`${id}.block`));
    expect(inner.map((width) => [width.size, width.growable])).toEqual([
      [4, true],
      [4, true],
    ]);
    const [first] = inner;
    const wider = applyPlan(deeper, planGrowth(first as never, { by: 3, strategy: random, seed: 2 }), random);
    await expectSame(model, wider);
  });

  it("a block learns: its last weights move at the first step, its first ones after that", async () => {
    const { train } = await digits();
    const model = mlp([64, 8, 10], { seed: 2 });
    const deeper = deepenModel(model, widthOf(findWidths(model), "hidden1"), { seed: 7 });
    const trainer = await Trainer.create(deeper, { seed: 4, batchSize: 32 });
    const weights = (name: string) =>
      trainer.model.graph.parameters.get(`hidden1.block1.${name}.weight`)?.data.slice();
    const [inner, outer] = [weights("in"), weights("out")];
    await trainer.trainStep(train);
    expect(weights("out")).not.toEqual(outer);
    expect(weights("in")).toEqual(inner);
    await trainer.trainStep(train);
    expect(weights("in")).not.toEqual(inner);
    await trainer.dispose();
  });

  it("refuses invalid counts", () => {
    const model = mlp([6, 9, 5]);
    const width = widthOf(findWidths(model), "hidden1");
    expect(() => deepenModel(model, width, { by: 0, seed: 1 })).toThrow(
      /`by` must be a positive whole number/,
    );
    expect(() => deepenModel(model, width, { hidden: 1.5, seed: 1 })).toThrow(/`hidden` must be/);
  });
});

describe("inputs and outputs", () => {
  it.each([
    ["an MLP", () => mlp([6, 9, 5], { seed: 1 })],
    ["a CNN", image],
  ])("%s takes new features and gives new classes, and the old outputs stay", async (_, make) => {
    const model = make();
    for (const border of ["input", "output"] as const) {
      const [width] = ioWidths(model, border).filter((one) => one.growable);
      expect(width).toBeDefined();
      const grown = applyPlan(
        model,
        planGrowth(width as never, { by: 3, strategy: random, seed: 2 }),
        random,
      );
      await expectSame(model, grown);
      const values = border === "input" ? grown.graph.inputs : grown.graph.outputs;
      expect(values[0]?.shape[1]).toBe((width?.size ?? 0) + 3);
    }
  });

  it("a grown input that is not multiplied by zeros would be seen", async () => {
    const model = mlp([6, 9, 5], { seed: 1 });
    const [width] = ioWidths(model, "input").filter((one) => one.growable);
    const plan = planGrowth(width as never, { by: 3, strategy: random, seed: 2 });
    const wrong = { ...plan, edits: plan.edits.map((edit) => ({ ...edit, fill: "draw" as const })) };
    expect((await verifyModels(model, applyPlan(model, wrong, random))).preserved).toBe(false);
  });
});
