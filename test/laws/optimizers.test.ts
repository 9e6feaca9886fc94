import { describe, expect, test } from "vitest";
import { dataset } from "../../src/data/dataset.ts";
import { mlp } from "../../src/nn/mlp.ts";
import type { LearnerState } from "../../src/training/learner/learner.ts";
import { type OptimizerName, optimizers } from "../../src/training/optimizers/index.ts";
import { type Optimizer, slotsOf } from "../../src/training/optimizers/optimizer.ts";
import { sgd } from "../../src/training/optimizers/sgd.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";
import { normalFeatures } from "./exact-network.ts";
import { stateText } from "./state-text.ts";

/** A new optimizer gets a line here: the compiler asks for it. Options that make every state tensor appear. */
const cases: Readonly<Record<OptimizerName, Optimizer>> = {
  sgd: sgd({ learningRate: 0.05, momentum: 0.9, weightDecay: 0.01 }),
  adam: optimizers.adam({ learningRate: 3e-3, weightDecay: 0.01 }),
  adamw: optimizers.adamw({ learningRate: 3e-3 }),
  lion: optimizers.lion({ learningRate: 2e-3, weightDecay: 0.01 }),
  rmsprop: optimizers.rmsprop({ learningRate: 1e-3, momentum: 0.5, centered: true, weightDecay: 0.01 }),
  adagrad: optimizers.adagrad({ learningRate: 0.03, rateDecay: 0.01, initial: 0.1, weightDecay: 0.01 }),
  muon: optimizers.muon({ learningRate: 0.02, adamRate: 0.1, weightDecay: 0.01 }),
};

const features = normalFeatures([48, 6], 7).data;

/** Three classes by the first feature. */
const data = dataset({
  features,
  featureDims: [6],
  labels: Int32Array.from({ length: 48 }, (_, row) => {
    const value = features[6 * row] as number;
    return value < -0.4 ? 0 : value < 0.4 ? 1 : 2;
  }),
});

const slotText = ({ slots }: Pick<LearnerState, "slots">) =>
  JSON.stringify(
    [...slots].map(([name, tensors]) => [name, tensors.map(({ data }) => [...(data as Float32Array)])]),
  );

const create = (optimizer: Optimizer) =>
  Trainer.create(mlp([6, 5, 3], { activation: "tanh" }), {
    optimizer,
    batchSize: 16,
    newborn: { warmup: 5, youth: 3 },
  });

describe.each(Object.entries(cases))("optimizer %s", (name, optimizer) => {
  test("trains, and its state grows, is resumed bit for bit, and shrinks with the weights", async () => {
    const trainer = await create(optimizer);
    const { loss: before } = await trainer.evaluate(data);
    await trainer.fit(data, { steps: 20 });
    const old = trainer.state().learner;
    await trainer.widen("hidden1", { by: 2 });
    const { learner } = trainer.state();
    for (const [parameter, slots] of learner.slots) {
      const { dims = [] } = learner.variables.get(parameter) ?? {};
      expect(slots.length).toBe(slotsOf(optimizer, dims.length).length);
      for (const slot of slots) expect(slot.dims).toEqual(dims);
    }
    await trainer.shrink("hidden1", { remove: [5, 6] });
    expect(slotText(trainer.state().learner)).toBe(slotText(old));
    await trainer.widen("hidden1", { by: 2 });
    await trainer.fit(data, { steps: 7 });
    const resumed = await Trainer.resume(await trainer.checkpoint());
    await Promise.all([trainer.fit(data, { steps: 5 }), resumed.fit(data, { steps: 5 })]);
    expect(stateText(resumed.state())).toBe(stateText(trainer.state()));
    await trainer.fit(data, { steps: 100 });
    expect((await trainer.evaluate(data)).loss).toBeLessThan(0.8 * before);
    await Promise.all([trainer.dispose(), resumed.dispose()]);
  });

  test("has its name in the table, and refuses options that it does not have", () => {
    expect(optimizer.name).toBe(name);
    const make = optimizers[name as OptimizerName] as unknown as (options: object) => Optimizer;
    expect(() => make({ weightDeccay: 1 })).toThrow(/weightDecay/);
    expect(() => make({ weightDecay: -1 })).toThrow(expect.objectContaining({ code: "ARGUMENT" }));
  });
});

describe("a custom optimizer", () => {
  /** signSGD (Bernstein et al. 2018), which here also remembers the last gradient. */
  const signed: Optimizer = {
    name: "signed",
    options: {},
    learningRate: { kind: "constant", rate: 0.005 },
    slots: [{ name: "last", degree: 1 }],
    factors: [{ byAge: false, of: (_age, learningRate) => learningRate }],
    emit({ graph, parameter, gradient, factors }) {
      const step = graph.emit("Mul", [graph.emit("Sign", [gradient]), factors[0] as string]);
      return [graph.emit("Sub", [parameter, step]), graph.emit("Identity", [gradient])];
    },
  };

  test("trains, and resumes from a checkpoint that names it, if it is passed again", async () => {
    const trainer = await create(signed);
    await trainer.fit(data, { steps: 10 });
    const bytes = await trainer.checkpoint();
    await expect(Trainer.resume(bytes)).rejects.toMatchObject({
      code: "ARGUMENT",
      thing: "optimizer",
      received: "signed",
    });
    await expect(Trainer.resume(bytes, { optimizer: sgd() })).rejects.toMatchObject({ code: "ARGUMENT" });
    const others = { ...signed, slots: [{ name: "else", degree: 1 } as const] };
    await expect(Trainer.resume(bytes, { optimizer: others })).rejects.toThrow(/must keep the state/);
    const resumed = await Trainer.resume(bytes, { optimizer: signed });
    await Promise.all([trainer.fit(data, { steps: 5 }), resumed.fit(data, { steps: 5 })]);
    expect(stateText(resumed.state())).toBe(stateText(trainer.state()));
    await Promise.all([trainer.dispose(), resumed.dispose()]);
  });

  test("has no kernel, so asking for it is refused", async () => {
    await expect(Trainer.create(mlp([2, 2]), { optimizer: signed, update: "kernel" })).rejects.toMatchObject({
      code: "ARGUMENT",
      thing: "update",
    });
  });
});
