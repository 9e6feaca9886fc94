import { describe, expect, test } from "vitest";
import { type Dataset, dataset } from "../../src/data/dataset.ts";
import type { Model } from "../../src/graph/model.ts";
import { findWidths } from "../../src/growth/find/widths.ts";
import { openWidths } from "../../src/growth/plan/symbols.ts";
import { activation } from "../../src/nn/activation.ts";
import { cnn } from "../../src/nn/cnn.ts";
import type { Layer } from "../../src/nn/layer.ts";
import { linear } from "../../src/nn/linear.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { sequential } from "../../src/nn/sequential.ts";
import { Random } from "../../src/tensor/random.ts";
import { int64 } from "../../src/tensor/tensor.ts";
import { noProgress, type TrainerState } from "../../src/training/history/state.ts";
import { adam, adamw } from "../../src/training/optimizers/adam.ts";
import { sgd } from "../../src/training/optimizers/sgd.ts";
import { cosineRate } from "../../src/training/schedules/index.ts";
import type { TrainerOptions } from "../../src/training/settings/options.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";
import { normalFeatures } from "./exact-network.ts";
import { stateText } from "./state-text.ts";

/** Changes nothing, but the graph states the size: a growth of it must be compiled again. */
const writtenSize = (units: number): Layer => ({
  kind: "reshape",
  build: ({ graph, name }, input) =>
    graph.emit("Reshape", [input, graph.parameter(`${name}.shape`, int64([2], [-1, units]))], {}, name),
});

interface Run {
  readonly name: string;
  readonly model: () => Model;
  readonly options: TrainerOptions;
  /** The widths grown before the trial, and in it. */
  readonly first: string;
  readonly tried: readonly string[];
}

const runs: readonly Run[] = [
  {
    name: "mlp, dropout, BatchNorm, Adam, cosine",
    model: () => mlp([6, 5, 4, 3], { dropout: 0.3, batchNorm: true }),
    options: { optimizer: adam({ learningRate: cosineRate(1e-2, { steps: 60, warmup: 5 }) }), clipNorm: 1 },
    first: "hidden1",
    tried: ["hidden2", "hidden1"],
  },
  {
    name: "cnn, BatchNorm, AdamW, the graph learner",
    model: () =>
      cnn({ input: [1, 6, 6], filters: [3], hidden: [5], classes: 3, batchNorm: true, dropout: 0.25 }),
    options: { optimizer: adamw({ learningRate: 3e-3 }), update: "graph" },
    first: "hidden1",
    tried: ["conv1"],
  },
  {
    name: "a graph that states a size, momentum, newborns",
    model: () =>
      sequential(
        [6],
        [linear(5), writtenSize(5), activation("tanh"), linear(4), activation("relu"), linear(3)],
      ),
    options: { optimizer: sgd({ learningRate: 0.05, momentum: 0.9 }), newborn: { warmup: 9, youth: 5 } },
    first: "hidden2",
    tried: ["hidden1", "hidden2"],
  },
];

/** 50 examples in batches of 16: a trial of 7 steps goes through the end of an epoch. */
function labeled(model: Model): Dataset {
  const dims = model.graph.inputs[0]?.shape.slice(1) as readonly number[];
  const draws = new Random(1, "labels");
  return dataset({
    features: normalFeatures([50, ...dims], 8).data,
    featureDims: dims,
    labels: Int32Array.from({ length: 50 }, () => draws.integer(3)),
  });
}

async function steps(trainer: Trainer, data: Dataset, count: number): Promise<number[]> {
  const losses: number[] = [];
  while (losses.length < count) losses.push((await trainer.trainStep(data)).loss);
  return losses;
}

/** A run of `run` after a growth, in the middle of an epoch. */
async function begun(run: Run, data: Dataset): Promise<Trainer> {
  const trainer = await Trainer.create(run.model(), { batchSize: 16, seed: 5, ...run.options });
  await steps(trainer, data, 3);
  await trainer.widen(run.first, { by: 2 });
  await steps(trainer, data, 3);
  return trainer;
}

async function trial(trainer: Trainer, run: Run, data: Dataset): Promise<void> {
  for (const width of run.tried) {
    await trainer.widen(width, { by: 3, data });
    await steps(trainer, data, 7);
  }
}

/** A step whose loss is not finite: the weights go back one update, and all moments restart. */
async function diverge(trainer: Trainer, data: Dataset): Promise<void> {
  const spoilt = { ...data, features: data.features.map(() => Number.NaN) };
  await expect(trainer.trainStep(spoilt)).rejects.toMatchObject({ code: "DIVERGED" });
}

/** The state without its costs. */
const without = (state: TrainerState): string =>
  stateText({ ...state, progress: { ...state.progress, flops: 0, spent: noProgress.spent, rollbacks: [] } });

describe.each(runs)("rollback: $name", (run) => {
  const data = labeled(run.model());

  test("continues bit for bit as if the growths had never been tried", async () => {
    const [plain, tried] = [await begun(run, data), await begun(run, data)];
    const before = tried.state();
    const kept = stateText(before);
    await trial(tried, run, data);
    expect(without(tried.state())).not.toBe(without(before));
    await tried.rollback(before);
    expect(stateText(before)).toBe(kept);
    expect(without(tried.state())).toBe(without(before));
    expect(await steps(tried, data, 9)).toEqual(await steps(plain, data, 9));
    expect(without(tried.state())).toBe(without(plain.state()));
    // Later growths are the same, too.
    for (const trainer of [plain, tried]) await trainer.widen(run.first, { by: 1 });
    expect(await steps(tried, data, 5)).toEqual(await steps(plain, data, 5));
    expect(without(tried.state())).toBe(without(plain.state()));
    await plain.dispose();
    await tried.dispose();
  });

  test("and as if the trial had not diverged", async () => {
    const [plain, tried] = [await begun(run, data), await begun(run, data)];
    const before = tried.state();
    await trial(tried, run, data);
    await diverge(tried, data);
    expect(tried.state().learner.restart).toBe(tried.step);
    await tried.rollback(before);
    expect(await steps(tried, data, 5)).toEqual(await steps(plain, data, 5));
    // Nor does it forget a divergence from before.
    for (const trainer of [plain, tried]) await diverge(trainer, data);
    const again = tried.state();
    await trial(tried, run, data);
    await tried.rollback(again);
    expect(await steps(tried, data, 5)).toEqual(await steps(plain, data, 5));
    expect(without(tried.state())).toBe(without(plain.state()));
    await plain.dispose();
    await tried.dispose();
  });

  test("keeps count of the costs, and reports each trial once", async () => {
    const trainer = await begun(run, data);
    const before = trainer.state();
    await trial(trainer, run, data);
    const spent = trainer.progress.flops - before.progress.flops;
    expect(spent).toBeGreaterThan(0);
    const inner = trainer.state();
    await steps(trainer, data, 2);
    const more = trainer.progress.flops - inner.progress.flops;
    const growths = trainer.growths.slice(1);
    await trainer.rollback(inner);
    await trainer.rollback(before);
    expect(trainer.growths).toEqual(before.progress.growths);
    expect(trainer.progress.flops).toBe(before.progress.flops + spent + more);
    const from = inner.progress.step;
    expect(trainer.progress.rollbacks).toEqual([
      { from: from + 2, to: from, flops: more, growths: [], shrinks: [] },
      { from, to: before.progress.step, flops: spent, growths, shrinks: [] },
    ]);
    await trainer.dispose();
  });

  test("resumes exactly, from a checkpoint within the trial or after it", async () => {
    const whole = await begun(run, data);
    const before = whole.state();
    await trial(whole, run, data);
    const within = await whole.checkpoint();
    await whole.rollback(before);
    const behind = await whole.checkpoint();
    await steps(whole, data, 6);
    for (const bytes of [within, behind]) {
      const trainer = await Trainer.resume(bytes);
      if (bytes === within) await trainer.rollback(before);
      await steps(trainer, data, 6);
      expect(stateText(trainer.state())).toBe(stateText(whole.state()));
      await trainer.dispose();
    }
    await whole.dispose();
  });
});

test("the runs cover growths with and without a new compilation", () => {
  const open = runs.map(({ model, tried }) => {
    const trainable = openWidths(findWidths(model())).map(({ id }) => id);
    return tried.every((width) => trainable.includes(width));
  });
  expect(open).toContain(true);
  expect(open).toContain(false);
});

test("a state that is not an earlier one of the run is refused, and nothing changes", async () => {
  const run = runs[0] as Run;
  const data = labeled(run.model());
  const trainer = await begun(run, data);
  const early = trainer.state();
  await trainer.widen("hidden2", { by: 1 });
  await steps(trainer, data, 2);
  const late = trainer.state();
  await trainer.rollback(early);
  const other = await Trainer.create(run.model(), { batchSize: 16, ...run.options });
  await other.widen("hidden2", { by: 2 });
  const expected = stateText(trainer.state());
  for (const state of [late, other.state()]) {
    await expect(trainer.rollback(state)).rejects.toMatchObject({
      code: "ARGUMENT",
      rule: "must be an earlier one of the same run",
    });
    expect(stateText(trainer.state())).toBe(expected);
  }
  await trainer.dispose();
  await other.dispose();
});
