import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { epochOrder } from "../../src/data/batches.ts";
import { type Dataset, dataset } from "../../src/data/dataset.ts";
import { growthIndices } from "../../src/graph/layout.ts";
import type { Model } from "../../src/graph/model.ts";
import { findWidths } from "../../src/growth/find/widths.ts";
import type { GrowthPlan } from "../../src/growth/plan/plan.ts";
import { activation } from "../../src/nn/activation.ts";
import { batchNorm } from "../../src/nn/batch-norm.ts";
import { conv2d } from "../../src/nn/conv2d.ts";
import { dropout } from "../../src/nn/dropout.ts";
import { linear } from "../../src/nn/linear.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { averagePool, flatten, maxPool } from "../../src/nn/pooling.ts";
import { sequential } from "../../src/nn/sequential.ts";
import { sizeOf, type Tensor } from "../../src/tensor/tensor.ts";
import { Batcher } from "../../src/training/graphs/batch.ts";
import { writeProgram } from "../../src/training/graphs/program.ts";
import type { TrainerState } from "../../src/training/history/state.ts";
import { createLearner } from "../../src/training/learner/learners.ts";
import { adam, adamw } from "../../src/training/optimizers/adam.ts";
import type { Births } from "../../src/training/optimizers/ages.ts";
import type { Optimizer } from "../../src/training/optimizers/optimizer.ts";
import { sgd } from "../../src/training/optimizers/sgd.ts";
import type { TrainerOptions } from "../../src/training/settings/options.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";
import { integerFeatures, integerStrategy, normalFeatures, withIntegers } from "./exact-network.ts";
import { anySeed, lawRuns } from "./seed.ts";

const seconds = 1000;

const optimizers: Readonly<Record<string, () => Optimizer>> = {
  sgd: () => sgd({ learningRate: 2 ** -4 }),
  "sgd, weight decay": () => sgd({ learningRate: 2 ** -4, weightDecay: 0.1 }),
  momentum: () => sgd({ learningRate: 2 ** -4, momentum: 0.9 }),
  nesterov: () => sgd({ learningRate: 2 ** -4, momentum: 0.9, nesterov: true }),
  adam: () => adam({ learningRate: 1e-3 }),
  adamw: () => adamw({ learningRate: 1e-3, weightDecay: 0.05 }),
};

const networks: Readonly<Record<string, () => Model>> = {
  mlp: () => mlp([5, 4, 3, 2]),
  "mlp with dropout": () => mlp([5, 6, 4, 2], { dropout: 0.5 }),
  "convolutions and pools": () =>
    sequential(
      [2, 8, 8],
      [
        conv2d(3),
        activation("relu"),
        maxPool(2),
        conv2d(4, { padding: 0 }),
        activation("relu"),
        averagePool(2),
        flatten(),
        dropout(0.5),
        linear(5),
        activation("relu"),
        linear(2),
      ],
      {},
    ),
};

/**
 * Batch statistics have roots and quotients and are never exact, so these are only for the second half of the
 * law. No bias comes before them: its true gradient is zero, and Adam would turn the rounding noise into full
 * steps.
 */
const normalized: Readonly<Record<string, () => Model>> = {
  "mlp with BatchNorm": () => mlp([5, 6, 4, 2], { batchNorm: true, activation: "gelu" }),
  "convolutions with BatchNorm": () =>
    sequential(
      [2, 6, 6],
      [
        conv2d(3, { bias: false }),
        batchNorm(),
        activation("elu"),
        maxPool(2),
        conv2d(4, { bias: false }),
        batchNorm(),
        activation("tanh"),
        flatten(),
        linear(2),
      ],
      {},
    ),
};

/** Entries of a grown tensor that were there before, in the old order. */
function oldEntries(tensor: Tensor, plan: GrowthPlan, name: string): Float32Array {
  const kept = tensor.dims.map((size) => Array.from({ length: size }, (_, index) => index));
  for (const edit of plan.edits.filter((candidate) => candidate.parameter === name)) {
    const indices = growthIndices(edit.layout, plan.from, plan.to - plan.from);
    kept[edit.axis] = [...indices].flatMap((old, now) => (old < 0 ? [] : [now]));
  }
  const values: number[] = [];
  const visit = (axis: number, offset: number) => {
    if (axis === tensor.dims.length) {
      values.push(tensor.data[offset] as number);
      return;
    }
    for (const index of kept[axis] as number[])
      visit(axis + 1, offset * (tensor.dims[axis] as number) + index);
  };
  visit(0, 0);
  return Float32Array.from(values);
}

function dataFor(model: Model, count: number, seed: number, exact: boolean): Dataset {
  const dims = model.graph.inputs[0]?.shape.slice(1) as readonly number[];
  const outputs = model.graph.outputs[0]?.shape[1] as number;
  const draw = exact ? integerFeatures : normalFeatures;
  return dataset({
    features: draw([count, ...dims], seed).data,
    featureDims: dims,
    targets: draw([count, outputs], seed + 1).data,
    targetDims: [outputs],
  });
}

/** A state in the middle of training, with whole-number weights: the optimizer's state is arbitrary. */
function withWholeWeights(state: TrainerState, seed: number): TrainerState {
  const whole = withIntegers(state.model, seed);
  const variables = new Map(
    [...state.learner.variables.keys()].map((name) => [name, whole.graph.parameters.get(name) as Tensor]),
  );
  return { ...state, model: whole, learner: { ...state.learner, variables } };
}

async function pair(model: Model, options: TrainerOptions): Promise<[Trainer, Trainer]> {
  return [await Trainer.create(model, options), await Trainer.create(model, options)];
}

function tensorsOf(state: TrainerState, name: string): readonly Tensor[] {
  return [state.learner.variables.get(name) as Tensor, ...(state.learner.slots.get(name) ?? [])];
}

describe("old weights are not affected", () => {
  for (const update of ["kernel", "graph"] as const) {
    for (const [networkName, network] of Object.entries(networks)) {
      test(`exact arithmetic, ${networkName}, ${update}: bit for bit`, {
        timeout: 60 * seconds,
      }, async () => {
        for (const [optimizerName, optimizer] of Object.entries(optimizers)) {
          const model = network();
          const [plain, grown] = await pair(model, {
            loss: "meanSquaredError",
            optimizer: optimizer(),
            batchSize: 8,
            seed: 3,
            update,
          });
          const data = dataFor(model, 8, 11, true);
          await plain.fit(dataFor(model, 8, 12, false), { steps: 4 });
          const state = withWholeWeights(plain.state(), 21);
          plain.restore(state);
          grown.restore(state);
          for (const width of grown.widths.filter((candidate) => candidate.growable).map(({ id }) => id)) {
            plain.restore(state);
            grown.restore(state);
            const { plan } = await grown.widen(width, { by: 3, strategy: integerStrategy });
            const losses = [await plain.trainStep(data), await grown.trainStep(data)].map(({ loss }) => loss);
            expect(losses[1], `${optimizerName} ${width}`).toBe(losses[0]);
            let moved = 0;
            for (const name of state.learner.slots.keys()) {
              const now = tensorsOf(grown.state(), name);
              tensorsOf(plain.state(), name).forEach((tensor, index) => {
                const old = oldEntries(now[index] as Tensor, plan, name);
                expect(old.length).toBe(tensor.data.length);
                for (let entry = 0; entry < old.length; entry++) {
                  if (old[entry] !== tensor.data[entry])
                    throw new Error(
                      `${optimizerName}, ${width}: ${name}[${entry}] ${old[entry]} ≠ ${tensor.data[entry]}`,
                    );
                }
                const was = tensorsOf(state, name)[index] as Tensor;
                if (tensor.data.some((value, entry) => value !== was.data[entry])) moved++;
              });
            }
            expect(moved).toBeGreaterThan(2);
          }
          await plain.dispose();
          await grown.dispose();
        }
      });
    }
  }

  test("any numbers: up to rounding, over random networks", { timeout: 120 * seconds }, async () => {
    let worst = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.entries({ ...networks, ...normalized })),
        fc.constantFrom(...Object.entries(optimizers)),
        fc.constantFrom<"kernel" | "graph">("kernel", "graph"),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(3),
        anySeed,
        async ([, network], [, optimizer], update, by, pick, seed) => {
          const model = network();
          const options = {
            loss: "meanSquaredError",
            optimizer: optimizer(),
            batchSize: 8,
            seed: seed % 991,
            update,
          };
          const [plain, grown] = await pair(model, options as TrainerOptions);
          const data = dataFor(model, 24, seed, false);
          await plain.fit(data, { steps: 5 });
          grown.restore(plain.state());
          const growable = grown.widths.filter((candidate) => candidate.growable);
          const before = plain.state();
          const { plan } = await grown.widen(growable[pick % growable.length]?.id as string, { by });
          await plain.trainStep(data);
          await grown.trainStep(data);
          for (const name of before.learner.variables.keys()) {
            const was = before.learner.variables.get(name) as Tensor;
            const [one] = tensorsOf(plain.state(), name) as [Tensor];
            const other = oldEntries(tensorsOf(grown.state(), name)[0] as Tensor, plan, name);
            // A step is a sum of at most a few hundred products, each exact to 2⁻²⁴ of the largest; where Adam divides
            // a gradient near zero by its own size, its relative error is that of the gradient. 10⁻³ of the largest step covers both.
            let largestStep = 0;
            for (let entry = 0; entry < other.length; entry++)
              largestStep = Math.max(
                largestStep,
                Math.abs((one.data[entry] as number) - (was.data[entry] as number)),
              );
            for (let entry = 0; entry < other.length; entry++) {
              const difference = Math.abs((one.data[entry] as number) - (other[entry] as number));
              worst = Math.max(worst, difference / (largestStep + 1e-12));
              const ulp = 2 ** -23 * Math.abs(one.data[entry] as number);
              expect(difference).toBeLessThanOrEqual(1e-3 * largestStep + ulp);
            }
          }
          await plain.dispose();
          await grown.dispose();
        },
      ),
      lawRuns("old weights are not affected", 80),
    );
    console.log(`old weights: largest difference / largest step ${worst}`);
  });

  test("clipping by norm scales all steps of old weights by one factor and keeps their direction", async () => {
    // The norm is that of all gradients (as in PyTorch), so newborn gradients make it larger: here the law
    // holds only for the direction.
    for (const update of ["kernel", "graph"] as const) {
      const model = mlp([5, 4, 2]);
      const [plain, grown] = await pair(model, {
        loss: "meanSquaredError",
        optimizer: sgd({ learningRate: 2 ** -4 }),
        batchSize: 8,
        clipNorm: 0.5,
        update,
      });
      const data = dataFor(model, 8, 5, false);
      await plain.trainStep(data);
      grown.restore(plain.state());
      const { plan } = await grown.widen("hidden1", { by: 64 });
      const before = plain.state();
      await plain.trainStep(data);
      await grown.trainStep(data);
      const factors: number[] = [];
      for (const name of before.learner.slots.keys()) {
        const was = before.learner.variables.get(name)?.data as Float32Array;
        const one = plain.state().learner.variables.get(name)?.data as Float32Array;
        const other = oldEntries(grown.state().learner.variables.get(name) as Tensor, plan, name);
        was.forEach((value, entry) => {
          const step = (one[entry] as number) - value;
          if (Math.abs(step) > 1e-4) factors.push(((other[entry] as number) - value) / step);
        });
      }
      const [least, most] = [Math.min(...factors), Math.max(...factors)];
      console.log(`clipNorm, ${update}: old steps are ${least} to ${most} of what they would be`);
      expect(factors.length).toBeGreaterThan(10);
      expect(most - least).toBeLessThan(2e-3);
      expect(most).toBeLessThanOrEqual(1.001);
    }
  });
});

/** Adam for one entry, every operation rounded to float32 in PyTorch's order. */
class ScalarAdam {
  #m = 0;
  #v = 0;
  #t = 0;
  value: number;
  readonly #rate: number;
  readonly #decay: number;
  constructor(value: number, rate: number, decoupled: number) {
    this.value = value;
    this.#rate = rate;
    this.#decay = Math.fround(1 - rate * decoupled);
  }

  step(gradient: number): void {
    const r = Math.fround;
    this.#t++;
    this.#m = r(r(r(0.9) * this.#m) + r(r(1 - 0.9) * gradient));
    this.#v = r(r(r(0.999) * this.#v) + r(r(r(1 - 0.999) * gradient) * gradient));
    const stepSize = r(this.#rate / (1 - 0.9 ** this.#t));
    const correction = r(1 / Math.sqrt(1 - 0.999 ** this.#t));
    const spread = r(r(r(Math.sqrt(this.#v)) * correction) + r(1e-8));
    this.value = r(r(this.value * this.#decay) - r(r(stepSize * this.#m) / spread));
  }
}

describe("new weights start at their birth", () => {
  test("each new entry takes the steps of an Adam that was born with it", {
    timeout: 60 * seconds,
  }, async () => {
    for (const update of ["kernel", "graph"] as const) {
      for (const decoupled of [0, 0.05]) {
        const rate = 1e-3;
        const model = mlp([4, 3, 3, 2]);
        const data = dataFor(model, 24, 5, false);
        const options: TrainerOptions = {
          loss: "meanSquaredError",
          optimizer:
            decoupled === 0
              ? adam({ learningRate: rate })
              : adamw({ learningRate: rate, weightDecay: decoupled }),
          batchSize: 8,
          update,
        };
        const trainer = await Trainer.create(model, options);
        const program = writeProgram({
          model,
          widths: findWidths(model),
          loss: "meanSquaredError",
          training: true,
        });
        const twin = await createLearner(program, trainer.settings);
        await trainer.fit(data, { steps: 40 });
        const growths = [await trainer.widen("hidden1", { by: 2 })];
        const shadows = new Map<string, ScalarAdam>();
        const known = new Set<string>();
        let longest = 0;
        note(trainer.state());
        for (let step = 0; step < 60; step++) {
          if (step === 25) {
            // The corner that both widths grow is as young as the younger.
            for (const key of shadows.keys()) known.add(key);
            const record = await trainer.widen("hidden2", { by: 2 });
            growths.push(record);
            renumber(record.plan);
            note(trainer.state());
          }
          const before = trainer.state();
          twin.load(before.learner);
          const order = epochOrder(data.count, trainer.settings.seed, before.progress.epoch);
          const { feeds } = new Batcher(program, data).take(order, before.progress.offset, 8);
          const { gradients } = await twin.gradients(feeds);
          await trainer.trainStep(data);
          const after = trainer.state();
          for (const [key, shadow] of shadows) {
            const [name, at] = key.split("|") as [string, string];
            const index = indexOf(after.learner.variables.get(name) as Tensor, at);
            shadow.step(gradients.get(name)?.data[index] as number);
            const value = after.learner.variables.get(name)?.data[index] as number;
            longest = Math.max(longest, Math.abs(shadow.value - value) / rate);
            // The kernel rounds as the shadow does; ONNX Runtime may fuse a product and a sum.
            if (update === "kernel") expect(value, `${key} at step ${step}`).toBe(shadow.value);
            else expect(Math.abs(shadow.value - value), `${key} at step ${step}`).toBeLessThan(1e-3 * rate);
          }
        }
        console.log(
          `${update}: ${shadows.size} new entries, at most ${longest} learning rates from their own Adam`,
        );
        expect(shadows.size).toBeGreaterThan(20);
        await trainer.dispose();
        await twin.release();

        function note(state: TrainerState) {
          for (const [name, births] of state.learner.births) {
            const tensor = state.learner.variables.get(name) as Tensor;
            forEachEntry(tensor.dims, (at, index) => {
              const birth = Math.max(...at.map((coordinate, axis) => births[axis]?.[coordinate] as number));
              const key = `${name}|${at.join()}`;
              if (birth === trainer.step && birth > 0 && !known.has(key))
                shadows.set(key, new ScalarAdam(tensor.data[index] as number, rate, decoupled));
            });
          }
        }

        // New units come last on every axis of an MLP, so old coordinates stay.
        function renumber(plan: GrowthPlan) {
          expect(plan.edits.every((edit) => edit.layout.length === 1)).toBe(true);
        }
      }
    }
  });

  test("no first step is longer than the learning rate; a shared step count would take 3.2 and then 6.6 times", async () => {
    const peaks: number[] = [];
    for (let wait = 1; wait <= 60; wait++) {
      // The same gradient in each of `wait` steps, with moments starting at zero, as if 10⁵ steps had come
      // before.
      const m = 1 - 0.9 ** wait;
      const v = 1 - 0.999 ** wait;
      peaks.push(m / Math.sqrt(v));
    }
    expect(peaks[0]).toBeCloseTo(3.16, 2);
    expect(Math.max(...peaks)).toBeCloseTo(6.6, 1);

    const rate = 1e-3;
    for (const update of ["kernel", "graph"] as const) {
      const model = mlp([6, 8, 3]);
      const data = dataFor(model, 32, 5, false);
      const [trainer, shared] = await pair(model, {
        loss: "meanSquaredError",
        optimizer: adam({ learningRate: rate }),
        batchSize: 32,
        update,
      });
      await trainer.fit(data, { steps: 3000 });
      await trainer.widen("hidden1", { by: 8 });
      const state = trainer.state();
      const forgotten = new Map<string, Births>(
        [...state.learner.births].map(([name, axes]) => [
          name,
          axes.map((axis) => new Int32Array(axis.length)),
        ]),
      );
      shared.restore({ ...state, learner: { ...state.learner, births: forgotten } });
      expect(await largestStep(trainer)).toBeLessThan(rate * 1.0001);
      expect(await largestStep(shared)).toBeGreaterThan(3 * rate);
      const longest = [0, 0];
      for (let step = 0; step < 30; step++) {
        longest[0] = Math.max(longest[0] as number, await largestStep(trainer));
        longest[1] = Math.max(longest[1] as number, await largestStep(shared));
      }
      console.log(
        `${update}: longest step in units of the rate: own age ${(longest[0] as number) / rate}, shared ${(longest[1] as number) / rate}`,
      );
      expect(longest[0]).toBeLessThan(1.5 * rate);
      expect(longest[1]).toBeGreaterThan(4 * rate);
      await trainer.dispose();
      await shared.dispose();

      async function largestStep(of: Trainer): Promise<number> {
        const before = of.state().learner.variables.get("output.weight") as Tensor;
        await of.trainStep(data);
        const after = of.state().learner.variables.get("output.weight") as Tensor;
        let most = 0;
        forEachEntry(after.dims, ([, column], index) => {
          if ((column as number) >= 8)
            most = Math.max(most, Math.abs((after.data[index] as number) - (before.data[index] as number)));
        });
        return most;
      }
    }
  });

  test("newborn ages follow a channel through pool and flatten", async () => {
    const model = (networks["convolutions and pools"] as () => Model)();
    const trainer = await Trainer.create(model, { loss: "meanSquaredError", batchSize: 8 });
    await trainer.fit(dataFor(model, 8, 1, false), { steps: 7 });
    await trainer.widen("conv2", { by: 2 });
    const births = trainer.state().learner.births.get("hidden1.weight") as Births;
    // conv2 has 4 channels of 2 × 2... pooled to 1 × 1: its flattened columns are the channels.
    const perChannel = (births[1] as Int32Array).length / 6;
    expect([...(births[1] as Int32Array)]).toEqual(
      Array.from({ length: 6 * perChannel }, (_, column) => (column < 4 * perChannel ? 0 : 7)),
    );
    expect([...(births[0] as Int32Array)]).toEqual([0, 0, 0, 0, 0]);
    await trainer.dispose();
  });
});

function forEachEntry(dims: readonly number[], visit: (at: readonly number[], index: number) => void): void {
  for (let index = 0; index < sizeOf(dims); index++) {
    const at: number[] = [];
    let rest = index;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      at.unshift(rest % (dims[axis] as number));
      rest = Math.floor(rest / (dims[axis] as number));
    }
    visit(at, index);
  }
}

function indexOf(tensor: Tensor, at: string): number {
  return at
    .split(",")
    .reduce((index, coordinate, axis) => index * (tensor.dims[axis] as number) + Number(coordinate), 0);
}
