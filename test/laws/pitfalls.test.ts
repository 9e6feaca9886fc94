import { describe, expect, test } from "vitest";
import { dataset } from "../../src/data/dataset.ts";
import { incomingWeights } from "../../src/growth/examine/diagnose.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { Random } from "../../src/tensor/random.ts";
import { adam } from "../../src/training/optimizers/adam.ts";
import type { Optimizer } from "../../src/training/optimizers/optimizer.ts";
import { sgd } from "../../src/training/optimizers/sgd.ts";
import type { TrainerOptions } from "../../src/training/settings/options.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";

/** A smooth function of two variables with a little noise, so that nothing is ever learned perfectly. */
function waves() {
  const draws = new Random(5, "waves");
  const features = new Float32Array(256 * 2);
  const targets = new Float32Array(256);
  for (let row = 0; row < 256; row++) {
    const [x, y] = [3 * draws.uniform() - 1.5, 3 * draws.uniform() - 1.5];
    features.set([x, y], 2 * row);
    targets[row] = Math.sin(2 * x) * Math.cos(2 * y) + 0.05 * draws.normal();
  }
  return dataset({ name: "waves", features, featureDims: [2], targets, targetDims: [1] });
}

const data = waves();
const old = 4;

/** 100 steps, four more units, and 500 more steps with a fresh optimizer, as in the article. */
async function grown(strategy: string, optimizer: Optimizer, by = old) {
  const options: TrainerOptions = { loss: "meanSquaredError", optimizer, batchSize: 32 };
  const first = await Trainer.create(mlp([2, old, 1], { activation: "tanh", seed: 2 }), options);
  await first.fit(data, { steps: 100 });
  const trainer = await Trainer.create(first.model, options);
  await first.dispose();
  const record = await trainer.widen("hidden1", { by, strategy });
  return { record, ...(await watch(trainer)) };
}

/** The same in one run: the old units keep their optimizer state, the new ones start fresh. */
async function grownOnTheFly(strategy: string, optimizer: Optimizer) {
  const model = mlp([2, old, 1], { activation: "tanh", seed: 2 });
  const trainer = await Trainer.create(model, { loss: "meanSquaredError", optimizer, batchSize: 32 });
  await trainer.fit(data, { steps: 100 });
  const record = await trainer.widen("hidden1", { by: old, strategy });
  return { record, ...(await watch(trainer)) };
}

async function watch(trainer: Trainer) {
  expect(trainer.growths[0]?.output.preserved).toBe(true);
  const atBirth = units(trainer);
  await trainer.fit(data, { steps: 500 });
  const [diagnosis] = await trainer.diagnose(data);
  if (diagnosis === undefined) throw new Error("no diagnosis");
  const after = units(trainer);
  const { loss } = await trainer.evaluate(data);
  await trainer.dispose();
  return { atBirth, after, diagnosis, loss };
}

interface Unit {
  readonly incoming: readonly number[];
  readonly outgoing: number;
}

function units(trainer: Trainer): readonly Unit[] {
  const { parameters } = trainer.model.graph;
  const outgoing = parameters.get("output.weight")?.data as Float32Array;
  const width = trainer.widths[0];
  if (width === undefined) throw new Error("no width");
  return incomingWeights(width, parameters).map((incoming, unit) => ({
    incoming: [...incoming],
    outgoing: outgoing[unit] as number,
  }));
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = a.reduce((sum, value, index) => sum + value * (b[index] as number), 0);
  return dot / (Math.hypot(...a) * Math.hypot(...b));
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

describe.each([
  ["adam", () => adam({ learningRate: 1e-2 })],
  ["momentum", () => sgd({ learningRate: 0.05, momentum: 0.9 })],
] as const)("the article's pitfalls after 500 steps of %s", (_, optimizer) => {
  test("zeros: dead at birth, dead forever", async () => {
    const { record, after, diagnosis } = await grown("zeros", optimizer());
    expect(record.newUnits.every(({ dead, gradientNorm }) => dead && gradientNorm === 0)).toBe(true);
    for (const unit of after.slice(old)) {
      expect(unit.incoming.every((value) => value === 0)).toBe(true);
      expect(unit.outgoing).toBe(0);
    }
    expect(diagnosis.dead.map(({ unit }) => unit)).toEqual(range(old, 2 * old));
    expect(diagnosis.dead.every(({ reason }) => reason === "zero gradient")).toBe(true);
  });

  test("constant: equal to each other forever, although they learn", async () => {
    const { record, atBirth, after, diagnosis } = await grown("constant", optimizer());
    expect(record.identicalUnits).toEqual([range(old, 2 * old)]);
    const [first, ...others] = after.slice(old) as [Unit, ...Unit[]];
    for (const other of others) expect(other).toEqual(first);
    expect(cosine(first.incoming, atBirth[old]?.incoming as readonly number[])).toBeLessThan(0.9999);
    expect(first.outgoing).not.toBe(0);
    expect(diagnosis.identical).toEqual([range(old, 2 * old)]);
    expect(diagnosis.dead).toEqual([]);
  });

  test("halved: the copy's similarity is still 1", async () => {
    // Half of a float32 is exact, and so are sums of two equal halves: copies stay equal bit for bit.
    const { record, atBirth, after, diagnosis } = await grown("halved", optimizer());
    expect(record.identicalUnits).toEqual(range(0, old).map((unit) => [unit, old + unit]));
    similarities(after);
    for (let unit = 0; unit < old; unit++) {
      const [source, copy] = [after[unit], after[old + unit]] as [Unit, Unit];
      expect(cosine(source.incoming, copy.incoming)).toBeGreaterThanOrEqual(1 - 1e-6);
      // The unit is alive and moves: the similarity is not for lack of steps.
      const moved = source.incoming.map((value, index) => value - (atBirth[unit]?.incoming[index] as number));
      expect(Math.hypot(...moved)).toBeGreaterThan(1e-2);
    }
    const pairs = [...diagnosis.identical, ...diagnosis.collapsing.map((collapse) => [...collapse.units])];
    for (let unit = 0; unit < old; unit++) expect(pairs).toContainEqual([unit, old + unit]);
    expect(diagnosis.mostAlike?.weights).toBeGreaterThan(1 - 1e-6);
    expect(diagnosis.mostAlike?.activations).toBeGreaterThan(1 - 1e-6);
  });

  test("random: none of it, and a lower loss than with dead units", async () => {
    const { record, after, diagnosis, loss } = await grown("random", optimizer());
    expect(record.newUnits.every(({ dead }) => !dead)).toBe(true);
    expect(record.identicalUnits).toEqual([]);
    expect(diagnosis.dead).toEqual([]);
    expect(diagnosis.identical).toEqual([]);
    expect(diagnosis.collapsing).toEqual([]);
    for (const unit of after.slice(old)) expect(Math.abs(unit.outgoing)).toBeGreaterThan(1e-3);
    const losses: Record<string, number> = { random: loss };
    for (const pitfall of ["zeros", "constant", "halved"]) {
      losses[pitfall] = (await grown(pitfall, optimizer())).loss;
    }
    // Dead units add nothing; how the other two compare depends on the task.
    expect(loss).toBeLessThan(losses.zeros as number);
    console.log("loss after 500 steps:", losses);
  });
});

describe("in the middle of a run", () => {
  test.each([
    ["adam", () => adam({ learningRate: 1e-2 })],
    ["sgd", () => sgd({ learningRate: 0.1 })],
  ] as const)("zeros stay dead, constants stay equal, random does neither, %s", async (_, optimizer) => {
    const zeros = await grownOnTheFly("zeros", optimizer());
    expect(zeros.diagnosis.dead.map(({ unit }) => unit)).toEqual(range(old, 2 * old));
    const constant = await grownOnTheFly("constant", optimizer());
    expect(constant.diagnosis.identical).toEqual([range(old, 2 * old)]);
    const random = await grownOnTheFly("random", optimizer());
    expect(random.diagnosis).toMatchObject({ dead: [], identical: [], collapsing: [] });
  });

  test("halved stays 1 under an optimizer without state", async () => {
    const { after } = await grownOnTheFly("halved", sgd({ learningRate: 0.1 }));
    expect(similarities(after).minimum).toBeGreaterThanOrEqual(1 - 1e-6);
  });

  test("halved separates if the original keeps moments that its copy lacks", async () => {
    // The optimizer's state separates them, not the network: a copy has its own age (docs/theory.md).
    for (const optimizer of [adam({ learningRate: 1e-2 }), sgd({ learningRate: 0.05, momentum: 0.9 })]) {
      const { record, after } = await grownOnTheFly("halved", optimizer);
      expect(record.identicalUnits.length).toBe(old);
      expect(similarities(after).minimum).toBeLessThan(1 - 1e-4);
    }
  });
});

function similarities(after: readonly Unit[]): { readonly minimum: number } {
  const values = range(0, old).map((unit) =>
    cosine((after[unit] as Unit).incoming, (after[old + unit] as Unit).incoming),
  );
  console.log("similarity of copies:", values);
  return { minimum: Math.min(...values) };
}

test("three copies of one unit share its work in thirds and collapse too", async () => {
  const { record, after, diagnosis } = await grown("halved", adam({ learningRate: 1e-2 }), 2 * old);
  expect(record.identicalUnits).toEqual(range(0, old).map((unit) => [unit, old + unit, 2 * old + unit]));
  for (let unit = 0; unit < old; unit++) {
    for (const copy of [old + unit, 2 * old + unit]) {
      expect(cosine(after[unit]?.incoming as number[], after[copy]?.incoming as number[])).toBeGreaterThan(
        1 - 1e-6,
      );
    }
  }
  expect(diagnosis.identical.length + diagnosis.collapsing.length).toBeGreaterThanOrEqual(old);
});

test("collapse is reported before it is complete, but not too early", async () => {
  const trainer = await Trainer.create(mlp([2, old, 1], { activation: "tanh", seed: 2 }), {
    loss: "meanSquaredError",
  });
  await trainer.widen("hidden1", { by: 1, strategy: "halved" });
  const nudged = (size: number) => {
    const state = trainer.state();
    const variables = new Map(state.learner.variables);
    const weight = variables.get("hidden1.weight");
    if (weight === undefined) throw new Error("no weight");
    const values = (weight.data as Float32Array).slice();
    values[2 * old] = (values[2 * old] as number) + size;
    variables.set("hidden1.weight", { ...weight, data: values } as typeof weight);
    trainer.restore({ ...state, learner: { ...state.learner, variables } });
  };
  nudged(1e-4);
  const [near] = await trainer.diagnose(data);
  expect(near?.identical).toEqual([]);
  expect(near?.collapsing.map(({ units: pair }) => pair)).toEqual([[0, old]]);
  nudged(-1.5);
  const [far] = await trainer.diagnose(data);
  expect(far?.collapsing).toEqual([]);
  await trainer.dispose();
});
