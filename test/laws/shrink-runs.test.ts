import { describe, expect, test } from "vitest";
import { keptPositions } from "../../src/graph/layout.ts";
import { type Model, withParameters } from "../../src/graph/model.ts";
import { importances } from "../../src/growth/importance/index.ts";
import { keptUnits } from "../../src/growth/shrink/shrink-apply.ts";
import type { ShrinkPlan } from "../../src/growth/shrink/shrink-plan.ts";
import { cnn } from "../../src/nn/cnn.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { float32, type Tensor } from "../../src/tensor/tensor.ts";
import { compileModel, releaseCompilation } from "../../src/training/compilation/compilation.ts";
import { gatherEvidence } from "../../src/training/examine/evidence.ts";
import type { TrainerState } from "../../src/training/history/state.ts";
import { noProgress } from "../../src/training/history/state.ts";
import { adam, adamw } from "../../src/training/optimizers/adam.ts";
import type { Optimizer } from "../../src/training/optimizers/optimizer.ts";
import { sgd } from "../../src/training/optimizers/sgd.ts";
import type { TrainerOptions } from "../../src/training/settings/options.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";
import { reshapingModel } from "../fixtures/reshaping-model.ts";
import { withIntegers } from "./exact-network.ts";
import { dataFor, edited, range, widthIn } from "./shrink-harness.ts";
import { stateText } from "./state-text.ts";

const seconds = 1000;

const optimizers: Readonly<Record<string, (learningRate: number) => Optimizer>> = {
  sgd: (learningRate) => sgd({ learningRate }),
  momentum: (learningRate) => sgd({ learningRate, momentum: 0.9, nesterov: true }),
  adam: (learningRate) => adam({ learningRate }),
  adamw: (learningRate) => adamw({ learningRate, weightDecay: 0.05 }),
};

const networks: Readonly<Record<string, () => Model>> = {
  mlp: () => mlp([5, 6, 5, 2]),
  "mlp with dropout": () => mlp([5, 6, 5, 2], { dropout: 0.5 }),
  "cnn with dropout": () => cnn({ input: [2, 8, 8], filters: [5], hidden: [6], classes: 2, dropout: 0.5 }),
};

/** The entries of a tensor of the larger network that the smaller one keeps, in its order. */
function keptEntries(tensor: Tensor, plan: ShrinkPlan, name: string): Float32Array {
  const kept = tensor.dims.map((size) => range(0, size));
  for (const edit of plan.edits.filter(({ parameter }) => parameter === name))
    kept[edit.axis] = [...keptPositions(edit.layout, plan.from, keptUnits(plan))];
  const values: number[] = [];
  const visit = (axis: number, offset: number) => {
    if (axis === tensor.dims.length) values.push(tensor.data[offset] as number);
    else
      for (const index of kept[axis] as number[])
        visit(axis + 1, offset * (tensor.dims[axis] as number) + index);
  };
  visit(0, 0);
  return Float32Array.from(values);
}

function tensorsOf(state: TrainerState, name: string): readonly Tensor[] {
  return [state.learner.variables.get(name) as Tensor, ...(state.learner.slots.get(name) ?? [])];
}

/** The same state with other weights. */
function withWeights(state: TrainerState, model: Model): TrainerState {
  const variables = new Map(
    [...state.learner.variables.keys()].map((name) => [name, model.graph.parameters.get(name) as Tensor]),
  );
  return { ...state, model, learner: { ...state.learner, variables } };
}

/** A model with zero outgoing weights for some units of a width. */
function silenced(model: Model, id: string, units: readonly number[]): Model {
  const parameters = new Map(model.graph.parameters);
  const width = widthIn(model, id);
  for (const { parameter, axis, layout } of width.parts.filter(({ role }) => role === "outgoing")) {
    const { dims, data } = parameters.get(parameter) as Tensor<"float32">;
    const gone = new Set(units.flatMap((unit) => [...keptPositions(layout, width.size, [unit])]));
    const inner = dims.slice(axis + 1).reduce((size, dim) => size * dim, 1);
    const position = (at: number) => Math.floor(at / inner) % (dims[axis] as number);
    parameters.set(
      parameter,
      float32(
        dims,
        data.map((value, at) => (gone.has(position(at)) ? 0 : value)),
      ),
    );
  }
  return withParameters(model, parameters);
}

/** Weights, moments and births, without the history that led there. */
function weightsText(state: TrainerState): string {
  return stateText({ ...state, progress: noProgress });
}

describe.each(["kernel", "graph"] as const)("an exact shrink leaves old weights alone, %s", (update) => {
  test.each(Object.entries(networks))("%s: bit for bit in exact arithmetic", async (_, network) => {
    for (const [name, optimizer] of Object.entries(optimizers)) {
      const options: TrainerOptions = {
        loss: "meanSquaredError",
        optimizer: optimizer(2 ** -4),
        batchSize: 8,
        seed: 3,
        update,
      };
      const [plain, small] = [
        await Trainer.create(network(), options),
        await Trainer.create(network(), options),
      ];
      const data = dataFor(network(), 8, 11, true);
      await plain.fit(dataFor(network(), 8, 12), { steps: 4 });
      const state = plain.state();
      for (const { id } of plain.widths.filter((width) => width.growable)) {
        const units = [1, 3];
        const start = withWeights(state, silenced(withIntegers(state.model, 21), id, units));
        await plain.restore(start);
        await small.restore(start);
        const record = await small.shrink(id, { remove: units });
        expect(record).toMatchObject({ output: { identical: true }, exactness: "exact" });
        const losses = [await plain.trainStep(data), await small.trainStep(data)].map(({ loss }) => loss);
        expect(losses[1], `${name} ${id}`).toBe(losses[0]);
        for (const parameter of start.learner.slots.keys()) {
          tensorsOf(plain.state(), parameter).forEach((tensor, index) => {
            const now = tensorsOf(small.state(), parameter)[index]?.data;
            expect(now, `${name} ${id}: ${parameter} ${index}`).toEqual(
              keptEntries(tensor, record.plan, parameter),
            );
          });
        }
      }
      await plain.dispose();
      await small.dispose();
    }
  });
});

describe.each(["kernel", "graph"] as const)("the moments of merged units, %s", (update) => {
  test("are those of a single unit from the start: bit for bit in exact arithmetic", async () => {
    for (const [name, optimizer] of Object.entries(optimizers)) {
      // A rate of zero keeps the weights whole; the moments change all the same.
      const options: TrainerOptions = {
        loss: "meanSquaredError",
        optimizer: optimizer(0),
        batchSize: 8,
        update,
      };
      const model = withIntegers(mlp([5, 4, 2]), 4);
      const [one, twins] = [await Trainer.create(model, options), await Trainer.create(model, options)];
      await twins.widen("hidden1", { by: 4, strategy: "halved" });
      const data = dataFor(model, 32, 6, true);
      await one.fit(data, { steps: 9 });
      await twins.fit(data, { steps: 9 });
      expect(weightsText(twins.state())).not.toBe(weightsText(one.state()));
      const { exactness, output } = await twins.shrink("hidden1", { remove: "identical" });
      expect({ exactness, output }).toMatchObject({ exactness: "exact", output: { identical: true } });
      expect(weightsText(twins.state()), name).toBe(weightsText(one.state()));
      await one.dispose();
      await twins.dispose();
    }
  });

  test("of copies that were just made are the earlier ones", async () => {
    for (const [name, optimizer] of Object.entries(optimizers)) {
      const model = cnn({ input: [1, 6, 6], filters: [3], hidden: [5], classes: 2, batchNorm: true });
      const options: TrainerOptions = {
        loss: "meanSquaredError",
        optimizer: optimizer(1e-3),
        batchSize: 8,
        update,
      };
      const trainer = await Trainer.create(model, options);
      const data = dataFor(model, 32, 6);
      for (const [id, by] of [
        ["conv1", 3],
        ["hidden1", 5],
      ] as const) {
        await trainer.fit(data, { steps: 5 });
        const before = weightsText(trainer.state());
        await trainer.widen(id, { by, strategy: "halved" });
        // Whether or not it is kept, the older of two units has the better moments.
        const younger = { merge: range(0, by).map((unit) => [unit + by, unit]) };
        const choice = id === "conv1" ? younger : ({ remove: "identical" } as const);
        const { exactness, output } = await trainer.shrink(id, choice);
        expect({ exactness, output }).toMatchObject({ exactness: "exact", output: { preserved: true } });
        expect(weightsText(trainer.state()), `${name} ${id}`).toBe(before);
      }
      await trainer.dispose();
    }
  });
});

describe("a run that grows and shrinks", () => {
  /** Grows, shrinks and grows again at steps of a run. */
  async function goOn(trainer: Trainer, until: number): Promise<number[]> {
    const data = dataFor(networks["mlp with dropout"]?.() as Model, 40, 9);
    const losses: number[] = [];
    while (trainer.step < until) {
      const { growths, shrinks, step } = trainer.progress;
      if (step === 5 && growths.length === 0) await trainer.widen("hidden1", { by: 4 });
      if (step === 9 && shrinks.length === 0)
        await trainer.shrink("hidden1", { remove: { least: 3, by: "taylor" } });
      if (step === 9 && growths.length === 1) await trainer.widen("hidden1", { by: 2 });
      if (step === 13 && shrinks.length === 1)
        await trainer.shrink("hidden2", { remove: { least: 1, by: "activationNorm" } });
      losses.push((await trainer.trainStep(data)).loss);
    }
    return losses;
  }

  test.each(["kernel", "graph"] as const)(
    "resumes bit for bit, %s",
    { timeout: 60 * seconds },
    async (update) => {
      const start = () =>
        Trainer.create(networks["mlp with dropout"]?.() as Model, {
          loss: "meanSquaredError",
          batchSize: 16,
          seed: 5,
          update,
        });
      const whole = await start();
      const losses = await goOn(whole, 20);
      expect(whole.shrinks.map(({ width, size, growths }) => [width, size.after, growths])).toEqual([
        ["hidden1", 7, 1],
        ["hidden2", 4, 2],
      ]);
      for (const stop of [4, 6, 9, 10, 14]) {
        const first = await start();
        await goOn(first, stop);
        const second = await Trainer.resume(await first.checkpoint());
        expect(second.shrinks).toEqual(first.shrinks);
        await first.dispose();
        expect(await goOn(second, 20), `at ${stop}`).toEqual(losses.slice(stop));
        expect(weightsText(second.state()), `at ${stop}`).toBe(weightsText(whole.state()));
        await second.dispose();
      }
      await whole.dispose();
    },
  );

  test("undoes a shrink that did not pay off, and still counts its cost", async () => {
    const trainer = await Trainer.create(mlp([5, 6, 2]), { loss: "meanSquaredError", batchSize: 8 });
    const data = dataFor(mlp([5, 6, 2]), 8, 1);
    await trainer.fit(data, { steps: 3 });
    const state = trainer.state();
    const record = await trainer.shrink("hidden1", { remove: { least: 2, by: "taylor" } });
    expect(record.choosing).toMatchObject({ examples: 8, flops: expect.any(Number) });
    const { flops } = trainer.progress;
    expect(flops).toBe(state.progress.flops + record.flops);
    expect(record.flops).toBeGreaterThan(record.choosing?.flops ?? 0);
    // Gradients cost as much as a step without the update.
    expect(record.choosing?.flops).toBeLessThan(state.progress.flops / 3);
    await trainer.rollback(state);
    expect(weightsText(trainer.state())).toBe(weightsText(state));
    expect(trainer.progress).toMatchObject({
      flops,
      shrinks: [],
      rollbacks: [{ from: 3, to: 3, growths: [], shrinks: [record] }],
    });
    await trainer.dispose();
  });

  test("returns to a state before a shrink", async () => {
    const trainer = await Trainer.create(mlp([5, 6, 2]), { loss: "meanSquaredError", batchSize: 8 });
    const data = dataFor(mlp([5, 6, 2]), 8, 1);
    await trainer.fit(data, { steps: 3 });
    const state = trainer.state();
    const before = stateText(state);
    await trainer.shrink("hidden1", { remove: { least: 2, by: "weightNorm" } });
    await trainer.fit(data, { steps: 2 });
    await trainer.restore(state);
    expect(stateText(trainer.state())).toBe(before);
    await trainer.dispose();
  });

  test("no unit is born equal to another, whichever units were removed before", async () => {
    const trainer = await Trainer.create(mlp([5, 4, 2]), { loss: "meanSquaredError" });
    // The fifth unit goes and the sixth takes its place: a unit born in its old place must not equal it.
    await trainer.widen("hidden1", { by: 2 });
    const { exactness } = await trainer.shrink("hidden1", { remove: [4] });
    expect(exactness).toBe("exact");
    for (let round = 0; round < 3; round++) {
      const record = await trainer.widen("hidden1", { by: 1 });
      expect(record.identicalUnits).toEqual([]);
      expect(record.plan.born).toBe(6 + round);
      await trainer.shrink("hidden1", { remove: [4] });
    }
    await trainer.dispose();
  });
});

describe("removal by importance", () => {
  test.each(["weightNorm", "activationNorm", "taylor"] as const)(
    "by %s: the record says how far outputs moved",
    async (by) => {
      const model = mlp([5, 8, 2]);
      const trainer = await Trainer.create(model, { loss: "meanSquaredError", batchSize: 32 });
      await trainer.fit(dataFor(model, 64, 2), { steps: 20 });
      const record = await trainer.shrink("hidden1", { remove: { least: 2, by } });
      expect(record).toMatchObject({
        choice: `least 2 by ${by}`,
        exactness: "approximate",
        size: { before: 8, after: 6 },
        parameters: { before: 66, after: 50 },
        output: { preserved: false },
      });
      expect(record.output.maxDifference).toBeGreaterThan(record.output.roundingBound);
      expect(record.loss.after).not.toBe(record.loss.before);
      expect(record.plan.gone.every(({ reason }) => reason.startsWith(`least by ${by}: `))).toBe(true);
      await trainer.dispose();
    },
  );

  test("taylor is the slope of the loss along the outgoing weights", async () => {
    const model = mlp([5, 6, 2], { activation: "tanh" });
    const data = dataFor(model, 32, 3);
    const trainer = await Trainer.create(model, { loss: "meanSquaredError", batchSize: 32 });
    const { settings } = trainer;
    const compiled = await compileModel(model, settings);
    const features = float32([32, 5], data.features);
    const target = float32([32, 2], data.targets as Float32Array);
    const [input = ""] = compiled.program.inputs.map(({ name }) => name);
    const batch = { [input]: features, [compiled.program.targets[0]?.input.name ?? ""]: target };
    const evidence = await gatherEvidence(compiled, batch, batch);
    const scores = importances.taylor.score(widthIn(model, "hidden1"), evidence);
    const lossOf = async (unit: number, factor: number) => {
      const scaled = edited(model, "output.weight", (values) => {
        for (const row of [0, 1]) values[row * 6 + unit] = (values[row * 6 + unit] as number) * factor;
      });
      const other = await Trainer.create(scaled, { loss: "meanSquaredError" });
      const { loss } = await other.evaluate(data);
      await other.dispose();
      return loss;
    };
    for (const unit of range(0, 6)) {
      const slope = ((await lossOf(unit, 1.05)) - (await lossOf(unit, 0.95))) / 0.1;
      // The loss is quadratic in these weights, so the difference is its slope, except for rounding: about
      // 1e-7 / 0.1.
      expect(Math.abs((scores[unit] as number) - Math.abs(slope))).toBeLessThan(1e-5);
    }
    await releaseCompilation(compiled);
    await trainer.dispose();
  });

  test("units in proportion are merged in proportion", async () => {
    // For a ReLU a(2x) = 2·a(x): one can do the work of both, except for rounding.
    let model = mlp([5, 4, 2], { seed: 8 });
    model = edited(model, "hidden1.weight", (data) =>
      data.set(
        data.slice(0, 5).map((value) => 3 * value),
        10,
      ),
    );
    const trainer = await Trainer.create(model, { loss: "meanSquaredError" });
    const record = await trainer.shrink("hidden1", { remove: "collapsing" });
    expect(record).toMatchObject({ exactness: "approximate", size: { before: 4, after: 3 } });
    expect(record.plan.gone).toMatchObject([{ unit: 2, into: 0, reason: "collapsing with unit 0" }]);
    expect(record.plan.gone[0]?.times).toBeCloseTo(3, 5);
    expect(record.output.maxDifference).toBeLessThan(1e-5);
    await trainer.dispose();
  });
});

test("a width whose sizes the model names shrinks with a new session, and back to the same model", async () => {
  const model = reshapingModel();
  const trainer = await Trainer.create(model, { loss: "meanSquaredError", batchSize: 4 });
  const before = trainer.model;
  const growable = trainer.widths.filter((width) => width.growable && width.written.length > 0);
  expect(growable.length).toBeGreaterThan(0);
  for (const { id, size, multiple } of growable) {
    await trainer.widen(id, { by: multiple });
    const record = await trainer.shrink(id, { remove: range(size, size + multiple) });
    expect(record).toMatchObject({ exactness: "exact", output: { preserved: true } });
    expect(trainer.model.graph.parameters).toEqual(before.graph.parameters);
  }
  await trainer.dispose();
});
