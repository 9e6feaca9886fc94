import { expect, test } from "vitest";
import { withParameters } from "../graph/model.ts";
import { applyPlan } from "../growth/apply.ts";
import { planGrowth } from "../growth/plan.ts";
import { strategyOf } from "../growth/strategies/index.ts";
import { findWidths } from "../growth/widths.ts";
import { cnn } from "../nn/cnn.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { createLearner } from "./learners.ts";
import { adam } from "./optimizers/adam.ts";
import { checkOptions } from "./options.ts";
import { syntheticBatch } from "./probe.ts";
import { writeProgram } from "./program.ts";
import { Trainer } from "./trainer.ts";

test.each(["kernel", "graph"] as const)(
  "a growth that is undone leaves the %s learner's state as it was",
  async (update) => {
    const settings = checkOptions({ loss: "crossEntropy", optimizer: adam(), update });
    const model = cnn({ input: [1, 6, 6], filters: [3, 4], classes: 3 });
    const widths = findWidths(model);
    const program = writeProgram({ model, widths, loss: settings.loss, training: true });
    const learner = await createLearner(program, settings);
    const trainer = await Trainer.create(model, { loss: "crossEntropy", optimizer: adam(), update });
    learner.load(trainer.state().learner);
    const batch = syntheticBatch(program, 8, 1);
    for (let step = 0; step < 3; step++) await learner.step(batch, step);
    const before = structuredClone(learner.state());

    for (const width of widths.filter(({ growable }) => growable)) {
      const plan = planGrowth(width, { by: 2, strategy: strategyOf("random"), seed: 1 });
      const from = before.variables;
      const current = withParameters(model, new Map<string, Tensor>([...model.graph.parameters, ...from]));
      const undo = learner.grow({
        plan,
        step: 3,
        from,
        to: applyPlan(current, plan, strategyOf("random")).graph.parameters,
      });
      await learner.gradients(batch);
      expect(learner.state()).not.toEqual(before);
      undo();
      expect(learner.state()).toEqual(before);
    }
  },
);
