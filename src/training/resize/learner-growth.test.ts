import { describe, expect, test } from "vitest";
import { withParameters } from "../../graph/model.ts";
import { findWidths } from "../../growth/find/widths.ts";
import { applyPlan } from "../../growth/grow/apply.ts";
import { planGrowth } from "../../growth/plan/plan.ts";
import type { Strategy } from "../../growth/plan/strategy.ts";
import type { Width } from "../../growth/plan/width.ts";
import { strategyOf } from "../../growth/strategies/index.ts";
import { cnn } from "../../nn/cnn.ts";
import { full, type Tensor } from "../../tensor/tensor.ts";
import { syntheticBatch } from "../compilation/probe.ts";
import { writeProgram } from "../graphs/program.ts";
import type { LearnerGrowth } from "../learner/learner.ts";
import { createLearner } from "../learner/learners.ts";
import { adam } from "../optimizers/adam.ts";
import { checkOptions } from "../settings/options.ts";
import { taskOf } from "../settings/task-options.ts";
import { Trainer } from "../trainer/trainer.ts";

const model = cnn({ input: [1, 6, 6], filters: [3, 4], classes: 3 });
const widths = findWidths(model);
const growable = widths.filter((width) => width.growable);

/** A learner after three steps, and the batch of those steps. */
async function trained(update: "kernel" | "graph") {
  const options = { loss: "crossEntropy", optimizer: adam(), update } as const;
  const settings = checkOptions(options);
  const program = writeProgram({ model, widths, ...taskOf(settings), training: true });
  const learner = await createLearner(program, settings);
  learner.load((await Trainer.create(model, options)).state().learner);
  const batch = syntheticBatch(program, 8, 1);
  for (let step = 0; step < 3; step++) await learner.step(batch, step);
  return { learner, batch, features: program.inputs[0]?.name ?? "" };
}

function growthOf(width: Width, by: number, strategy: Strategy): LearnerGrowth {
  const plan = planGrowth(width, { by, strategy, seed: 1 });
  return {
    plan,
    step: 3,
    apply: (variables, insert) => {
      const parameters = new Map([...model.graph.parameters, ...Object.entries(variables)]);
      return applyPlan(withParameters(model, parameters), plan, strategy, insert).graph.parameters;
    },
  };
}

describe.each(["kernel", "graph"] as const)("the %s learner", (update) => {
  // "halved" changes old entries too; 90 more units need a larger memory, which moves all arrays.
  test.each([
    ["random", 2],
    ["halved", 90],
  ] as const)("is as it was after a growth that is undone, or fails: %s by %i", async (name, by) => {
    const { learner, batch } = await trained(update);
    const before = structuredClone(learner.state());
    for (const width of growable) {
      const growth = growthOf(width, by, strategyOf(name));
      const { undo } = learner.grow(growth);
      await learner.gradients(batch);
      expect(learner.state()).not.toEqual(before);
      undo();
      expect(learner.state()).toEqual(before);
      const failing: LearnerGrowth["apply"] = (...given) => {
        growth.apply(...given);
        throw new Error("too late");
      };
      expect(() => learner.grow({ ...growth, apply: failing })).toThrow("too late");
      expect(learner.state()).toEqual(before);
    }
    expect(await learner.step(batch, 3)).toBeGreaterThan(0);
  });

  test("returns to the state right after a growth if the first step after it fails", async () => {
    const { learner, batch, features } = await trained(update);
    learner.grow(growthOf(growable[0] as Width, 2, strategyOf("random"))).keep();
    const { variables } = structuredClone(learner.state());
    const spoilt = { ...batch, [features]: full((batch[features] as Tensor).dims, Number.NaN) };
    expect(await learner.step(spoilt, 3)).toBeNaN();
    expect(learner.state().variables).toEqual(variables);
  });
});
