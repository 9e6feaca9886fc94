import { describe, expect, test } from "vitest";
import { epochOrder } from "../../src/data/batches.ts";
import { type Dataset, dataset } from "../../src/data/dataset.ts";
import type { Model } from "../../src/graph/model.ts";
import { findWidths } from "../../src/growth/find/widths.ts";
import { cnn } from "../../src/nn/cnn.ts";
import { mlp } from "../../src/nn/mlp.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { Batcher } from "../../src/training/graphs/batch.ts";
import { writeProgram } from "../../src/training/graphs/program.ts";
import type { TrainerState } from "../../src/training/history/state.ts";
import { createLearner } from "../../src/training/learner/learners.ts";
import { adam, adamw } from "../../src/training/optimizers/adam.ts";
import type { Births } from "../../src/training/optimizers/ages.ts";
import type { NewbornOptions } from "../../src/training/optimizers/newborn.ts";
import type { Optimizer } from "../../src/training/optimizers/optimizer.ts";
import { sgd } from "../../src/training/optimizers/sgd.ts";
import { constantRate, cosineRate, rateAt } from "../../src/training/schedules/index.ts";
import type { TrainerOptions } from "../../src/training/settings/options.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";
import { normalFeatures } from "./exact-network.ts";

const seconds = 1000;
const updates = ["kernel", "graph"] as const;

const optimizers: Readonly<Record<string, () => Optimizer>> = {
  sgd: () => sgd({ learningRate: 0.05 }),
  "sgd, weight decay": () => sgd({ learningRate: 0.05, weightDecay: 0.1 }),
  momentum: () => sgd({ learningRate: 0.03, momentum: 0.9 }),
  "nesterov, weight decay": () =>
    sgd({ learningRate: 0.03, momentum: 0.9, nesterov: true, weightDecay: 0.1 }),
  adam: () => adam({ learningRate: cosineRate(3e-3, { steps: 200, warmup: 5 }) }),
  "adam, weight decay": () => adam({ learningRate: 3e-3, weightDecay: 0.1 }),
  adamw: () => adamw({ learningRate: cosineRate(3e-3, { steps: 200 }), weightDecay: 0.1 }),
};

function regression(model: Model, count: number, seed: number): Dataset {
  const dims = model.graph.inputs[0]?.shape.slice(1) as readonly number[];
  const outputs = model.graph.outputs[0]?.shape[1] as number;
  return dataset({
    features: normalFeatures([count, ...dims], seed).data,
    featureDims: dims,
    targets: normalFeatures([count, outputs], seed + 1).data,
    targetDims: [outputs],
  });
}

/** The same, so large that no loss is finite. */
function overflowing({ features, featureDims, targets, targetDims }: Dataset): Dataset {
  const parts = { targets: targets as Float32Array, targetDims: targetDims as readonly number[] };
  return dataset({ features: features.map((value) => 1e30 * value), featureDims, ...parts });
}

/** Calls back with the key, the birth and the place in the data of every entry of every trained parameter. */
function forEachEntry(
  state: TrainerState,
  visit: (key: string, birth: number, index: number, name: string) => void,
) {
  for (const [name, births] of state.learner.births) {
    const { dims } = state.learner.variables.get(name) as Tensor;
    const count = dims.reduce((size, dim) => size * dim, 1);
    for (let index = 0; index < count; index++) {
      const at: number[] = [];
      for (let axis = dims.length - 1, rest = index; axis >= 0; axis--) {
        at.unshift(rest % (dims[axis] as number));
        rest = Math.floor(rest / (dims[axis] as number));
      }
      visit(`${name}|${at.join()}`, birthOf(births, at), index, name);
    }
  }
}

const birthOf = (births: Births, at: readonly number[]) =>
  Math.max(...at.map((coordinate, axis) => births[axis]?.[coordinate] as number));

const valueAt = (state: TrainerState, name: string, index: number) =>
  state.learner.variables.get(name)?.data[index] as number;

/**
 * One entry with a separate optimizer, every operation rounded to float32 in PyTorch's order. Life and age
 * are updates since its birth, and since its moments started.
 */
class ScalarOptimizer {
  value: number;
  readonly birth: number;
  readonly #optimizer: Optimizer;
  readonly #newborn: Required<NewbornOptions>;
  #m = 0;
  #v = 0;
  #age = 0;

  constructor(value: number, birth: number, optimizer: Optimizer, newborn: Required<NewbornOptions>) {
    this.value = value;
    this.birth = birth;
    this.#optimizer = optimizer;
    this.#newborn = newborn;
  }

  restart(value: number): void {
    this.value = value;
    this.#m = 0;
    this.#v = 0;
    this.#age = 0;
  }

  step(gradient: number, step: number): void {
    const r = Math.fround;
    const { warmup, youth, rate } = this.#newborn;
    const life = this.birth === 0 ? Number.POSITIVE_INFINITY : step + 1 - this.birth;
    const learningRate =
      rateAt(this.#optimizer.learningRate, step) *
      Math.min(1, life / Math.max(1, warmup)) *
      (life <= youth ? rate : 1);
    const { name, options } = this.#optimizer;
    const decay = life <= youth ? 0 : Number(options.weightDecay);
    this.#age++;
    const g = decay === 0 || name === "adamw" ? gradient : r(gradient + r(r(decay) * this.value));
    if (name === "sgd") {
      let direction = g;
      if (options.momentum !== 0) {
        const keep = r(Number(options.momentum));
        this.#m = r(r(keep * this.#m) + g);
        direction = options.nesterov ? r(g + r(keep * this.#m)) : this.#m;
      }
      this.value = r(this.value - r(r(learningRate) * direction));
      return;
    }
    this.#m = r(r(r(0.9) * this.#m) + r(r(1 - 0.9) * g));
    this.#v = r(r(r(0.999) * this.#v) + r(r(r(1 - 0.999) * g) * g));
    const stepSize = r(learningRate / (1 - 0.9 ** this.#age));
    const correction = r(1 / Math.sqrt(1 - 0.999 ** this.#age));
    const spread = r(r(r(Math.sqrt(this.#v)) * correction) + r(1e-8));
    const left = name === "adamw" ? r(1 - learningRate * decay) : 1;
    this.value = r(r(this.value * left) - r(r(stepSize * this.#m) / spread));
  }
}

/** A trainer of an MLP, and a learner that reports the gradients of its next step. */
async function observed(options: TrainerOptions) {
  const model = mlp([4, 3, 3, 2]);
  const data = regression(model, 24, 5);
  const trainer = await Trainer.create(model, { loss: "meanSquaredError", batchSize: 8, ...options });
  const widths = findWidths(model);
  const program = writeProgram({ model, widths, loss: "meanSquaredError", training: true });
  const twin = await createLearner(program, trainer.settings);
  return {
    trainer,
    data,
    async gradients(): Promise<ReadonlyMap<string, Tensor>> {
      const { learner, progress } = trainer.state();
      twin.load(learner);
      const order = epochOrder(data.count, trainer.settings.seed, progress.epoch);
      const { feeds } = new Batcher(program, data).take(order, progress.offset, 8);
      const { gradients } = await twin.gradients(feeds);
      return new Map([...gradients].map(([name, tensor]) => [name, structuredClone(tensor)]));
    },
    async dispose() {
      await trainer.dispose();
      await twin.release();
    },
  };
}

describe.each(updates)("newborns, %s", (update) => {
  const care = { warmup: 12, youth: 7, rate: 0.5 };

  test.each(Object.entries(optimizers))(
    "take exactly the scaled steps, across growths and a divergence: %s",
    { timeout: 60 * seconds },
    async (_name, optimizer) => {
      const { trainer, data, gradients, dispose } = await observed({
        optimizer: optimizer(),
        update,
        newborn: care,
      });
      await trainer.fit(data, { steps: 20 });
      const shadows = new Map<string, ScalarOptimizer>();
      let rate = 0;
      for (let step = 20; step < 70; step++) {
        // The corner that both widths grow is as young as the younger; the third growth is still young at the divergence.
        const width = new Map([
          [20, "hidden1"],
          [26, "hidden2"],
          [45, "hidden1"],
        ]).get(step);
        if (width !== undefined) {
          await trainer.widen(width, { by: 2 });
          const state = trainer.state();
          forEachEntry(state, (key, birth, index, name) => {
            if (birth === step)
              shadows.set(key, new ScalarOptimizer(valueAt(state, name, index), birth, optimizer(), care));
          });
        }
        if (step === 48) {
          await expect(trainer.trainStep(overflowing(data))).rejects.toMatchObject({ code: "DIVERGED" });
          const state = trainer.state();
          forEachEntry(state, (key, birth, index, name) => {
            const value = valueAt(state, name, index);
            // From here on old entries have moments as young as all others, and can be followed too.
            const shadow = shadows.get(key) ?? new ScalarOptimizer(value, birth, optimizer(), care);
            shadow.restart(value);
            shadows.set(key, shadow);
          });
        }
        const taken = await gradients();
        await trainer.trainStep(data);
        const state = trainer.state();
        rate = rateAt(optimizer().learningRate, step);
        forEachEntry(state, (key, birth, index, name) => {
          const shadow = shadows.get(key);
          if (shadow === undefined) return;
          expect(birth).toBe(shadow.birth);
          shadow.step(taken.get(name)?.data[index] as number, step);
          const value = valueAt(state, name, index);
          // The kernel rounds as the shadow does; ONNX Runtime may fuse a product and a sum.
          if (update === "kernel") expect(value, `${key} at step ${step}`).toBe(shadow.value);
          else expect(Math.abs(shadow.value - value), `${key} at step ${step}`).toBeLessThan(1e-3 * rate);
        });
      }
      expect([...shadows.values()].filter(({ birth }) => birth > 0).length).toBeGreaterThan(30);
      expect([...shadows.values()].filter(({ birth }) => birth === 0).length).toBeGreaterThan(30);
      await dispose();
    },
  );

  test("are exempt from weight decay while they are young, and no longer", async () => {
    for (const optimizer of [
      adamw({ learningRate: 2 ** -6, weightDecay: 0.5 }),
      sgd({ learningRate: 2 ** -6, weightDecay: 0.5 }),
      sgd({ learningRate: 2 ** -6, weightDecay: 0.5, momentum: 0.9 }),
      adam({ learningRate: 2 ** -6, weightDecay: 0.5 }),
    ]) {
      // The weights that read the new units are zero and stay zero: the gradient of their incoming weights is
      // zero.
      const model = mlp([4, 3, 2]);
      const data = regression(model, 8, 5);
      const trainer = await Trainer.create(model, {
        loss: "meanSquaredError",
        batchSize: 8,
        frozen: ["output.weight"],
        optimizer,
        update,
        newborn: { youth: 5 },
      });
      await trainer.fit(data, { steps: 3 });
      await trainer.widen("hidden1", { by: 2 });
      const newRows = () => trainer.state().learner.variables.get("hidden1.weight")?.data.slice(12);
      const atBirth = newRows() as Float32Array;
      expect(atBirth.every((value) => value !== 0)).toBe(true);
      await trainer.fit(data, { steps: 5 });
      expect(newRows(), optimizer.name).toEqual(atBirth);
      await trainer.fit(data, { steps: 1 });
      const grownUp = newRows() as Float32Array;
      grownUp.forEach((value, index) => {
        expect(Math.abs(value)).toBeLessThan(Math.abs(atBirth[index] as number));
      });
      // 1 - 2⁻⁶ · 0.5 is exact, and so is its product with a float32, except for one rounding.
      if (optimizer.name !== "adam")
        expect(grownUp).toEqual(atBirth.map((value) => Math.fround(value * (1 - 2 ** -7))));
      await trainer.dispose();
    }
  });

  test("are the only ones affected: in the first step after growth every old entry moves bit for bit as without it", {
    timeout: 60 * seconds,
  }, async () => {
    const networks = [
      { make: () => mlp([5, 6, 4, 2], { dropout: 0.3, batchNorm: true }), widths: ["hidden1", "hidden2"] },
      {
        make: () => cnn({ input: [1, 6, 6], filters: [3], hidden: [5], classes: 2 }),
        widths: ["conv1", "hidden1"],
      },
    ];
    for (const { make, widths } of networks) {
      for (const optimizer of Object.values(optimizers)) {
        const options: TrainerOptions = {
          loss: "meanSquaredError",
          optimizer: optimizer(),
          batchSize: 8,
          seed: 3,
          update,
        };
        const plain = await Trainer.create(make(), options);
        const caring = await Trainer.create(make(), { ...options, newborn: care });
        const data = regression(make(), 24, 9);
        for (const trainer of [plain, caring]) {
          await trainer.fit(data, { steps: 9 });
          for (const width of widths) await trainer.widen(width, { by: 3 });
        }
        const before = plain.state();
        for (const trainer of [plain, caring]) await trainer.trainStep(data);
        const [one, other] = [plain.state(), caring.state()];
        let same = 0;
        let slower = 0;
        forEachEntry(one, (key, birth, index, name) => {
          const [was, is, cared] = [before, one, other].map((state) => valueAt(state, name, index)) as [
            number,
            number,
            number,
          ];
          if (birth === 0) {
            expect(Object.is(cared, is), key).toBe(true);
            if (is !== was) same++;
          } else if (Math.abs(is - was) > 1e-4) {
            expect(Math.abs(cared - was), key).toBeLessThan(Math.abs(is - was));
            slower++;
          }
        });
        expect(same).toBeGreaterThan(20);
        expect(slower).toBeGreaterThan(5);
        await plain.dispose();
        await caring.dispose();
      }
    }
  });

  test("are no longer treated separately once they have grown up", async () => {
    for (const optimizer of Object.values(optimizers)) {
      const options: TrainerOptions = {
        loss: "meanSquaredError",
        optimizer: optimizer(),
        batchSize: 8,
        update,
      };
      const data = regression(mlp([4, 3, 2]), 8, 5);
      const caring = await Trainer.create(mlp([4, 3, 2]), { ...options, newborn: care });
      const plain = await Trainer.create(mlp([4, 3, 2]), options);
      await caring.fit(data, { steps: 2 });
      await caring.widen("hidden1", { by: 2 });
      await caring.fit(data, { steps: 11 });
      // The twelfth update after birth is the first with the full learning rate.
      await plain.restore(caring.state());
      for (const trainer of [caring, plain]) await trainer.fit(data, { steps: 6 });
      expect(caring.state().learner).toEqual(plain.state().learner);
      await caring.dispose();
      await plain.dispose();
    }
  });
});

test("entries that a run starts with are not newborn, nor those grown before its first step", async () => {
  const data = regression(mlp([4, 3, 2]), 8, 5);
  const options: TrainerOptions = {
    loss: "meanSquaredError",
    optimizer: sgd({ learningRate: constantRate(0.1), momentum: 0.9 }),
    batchSize: 8,
  };
  const [plain, caring] = [
    await Trainer.create(mlp([4, 3, 2]), options),
    await Trainer.create(mlp([4, 3, 2]), { ...options, newborn: { warmup: 50 } }),
  ];
  for (const trainer of [plain, caring]) {
    await trainer.widen("hidden1", { by: 3 });
    await trainer.fit(data, { steps: 10 });
  }
  expect(caring.state().learner).toEqual(plain.state().learner);
  await plain.dispose();
  await caring.dispose();
});

test.each<[NewbornOptions, string]>([
  [{ warmup: -1 }, "newborn.warmup"],
  [{ warmup: 1.5 }, "newborn.warmup"],
  [{ youth: Number.NaN }, "newborn.youth"],
  [{ youth: 3, rate: -1 }, "newborn.rate"],
  [{ youth: 3, rate: Number.POSITIVE_INFINITY }, "newborn.rate"],
  [{ rate: 0.5 }, "newborn.rate"],
])("refuses %o", async (newborn, thing) => {
  await expect(Trainer.create(mlp([4, 3, 2]), { newborn })).rejects.toMatchObject({
    code: "ARGUMENT",
    thing,
  });
});
