import { describe, expect, test } from "vitest";
import { type Dataset, dataset } from "../../src/data/dataset.ts";
import { splitDataset } from "../../src/data/split.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { Random } from "../../src/tensor/random.ts";
import type { TrainerState } from "../../src/training/history/state.ts";
import { adam } from "../../src/training/optimizers/adam.ts";
import type { GrowthPolicy } from "../../src/training/policy/policy.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";
import { told } from "../fixtures/simulated-run.ts";
import { normalFeatures } from "./exact-network.ts";
import { stateText } from "./state-text.ts";

/** 50 examples to train on, in batches of 16: three whole ones and a partial one. */
const { train, test: validation } = splitDataset(
  dataset({
    features: normalFeatures([62, 6], 8).data,
    featureDims: [6],
    labels: Int32Array.from({ length: 62 }, (_, index) => new Random(1, "label", index).integer(3)),
  }),
  12 / 62,
);

const start = () =>
  Trainer.create(mlp([6, 5, 4, 3], { dropout: 0.2, batchNorm: true }), {
    batchSize: 16,
    seed: 5,
    optimizer: adam({ learningRate: 1e-2 }),
  });

/** Continues to update `until`; a trial that fails on the way takes longer. */
async function goOn(trainer: Trainer, growth: GrowthPolicy, until: number, data: Dataset = train) {
  const steps = until - trainer.step;
  return trainer.fit(data, { steps, growth, validation, validateEvery: 1000 });
}

/** The whole state, including the one that a trial would return to, without times. */
function everything(state: TrainerState): string {
  return `${stateText(state)} ${state.kept === undefined ? "" : stateText(state.kept)}`;
}

const policies: Readonly<Record<string, { readonly policy: GrowthPolicy; readonly decisions: RegExp }>> = {
  events: {
    policy: { events: [{ width: "hidden1", by: 2, every: 9 }] },
    decisions: /^9 grow hidden1\+2, 18 grow hidden1\+2, 27 grow/,
  },
  "a trial that pays, by whatever loss": {
    policy: {
      when: { every: 10 },
      howMany: { units: 2 },
      trial: { steps: 4, minGain: -5 },
      smoothing: 3,
    },
    decisions: /^10 grow hidden1\+2, 14 keep hidden1\+2, 20 grow hidden2\+2, 24 keep/,
  },
  "trials that fail, of the best width": {
    policy: {
      when: { every: 8 },
      where: { best: "flops" },
      howMany: { marginal: { share: 0.6, most: 3 } },
      trial: { steps: 5, minGain: 0.9, loss: "validation" },
    },
    decisions:
      /^8 grow (hidden\d)\+\d, 13 undo \1\+\d → 8, 8 grow (hidden\d)\+\d, 13 undo \2\+\d → 8, 8 skip, 16 grow/,
  },
  "a threshold and a plateau of neither": {
    policy: {
      when: { score: { every: 7, above: 0 } },
      where: { roundRobin: ["hidden2", "hidden1"] },
      howMany: { targets: { hidden1: 11, hidden2: 9 }, growths: 2 },
      strategy: "random",
    },
    decisions: /^7 grow hidden2\+2, 14 grow hidden1\+2, 21 grow hidden2\+3, 28 grow hidden1\+4, 35 stop/,
  },
  "a plateau, all together, some undone": {
    policy: {
      when: { plateau: { window: 3, minGain: 0.5 } },
      where: { together: "all" },
      howMany: { fraction: 0.5 },
      stop: { parameters: 300 },
      trial: { steps: 4, minGain: 0.02 },
      smoothing: 2,
    },
    decisions: /^6 grow hidden1\+3 hidden2\+2/,
  },
};

const last = 36;

describe.each(Object.entries(policies))("the controller: %s", (_, { policy, decisions }) => {
  test("a resumed run is the whole run, bit for bit, from before, within and after trials", {
    timeout: 120_000,
  }, async () => {
    const whole = await start();
    const result = await goOn(whole, policy, last);
    expect(told(result.decisions).join(", ")).toMatch(decisions);
    const expected = everything(whole.state());
    for (const stop of [0, 6, 8, 9, 11, 13, 14, 16, 22, 30]) {
      const first = await start();
      await goOn(first, policy, stop);
      const bytes = await first.checkpoint();
      const before = everything(first.state());
      await first.dispose();
      const second = await Trainer.resume(bytes);
      expect(everything(second.state()) === before, `read at ${stop}`).toBe(true);
      await goOn(second, policy, last);
      expect(everything(second.state()) === expected, `resumed at ${stop}`).toBe(true);
      await second.dispose();
    }
    await whole.dispose();
  });
});

test("an undone growth leaves no trace except its cost and its record", async () => {
  const policy: GrowthPolicy = {
    when: { at: [10] },
    howMany: { units: 3 },
    trial: { steps: 6, minGain: 0.99 },
  };
  const [plain, tried] = [await start(), await start()];
  await plain.fit(train, { steps: 20 });
  const { decisions } = await goOn(tried, policy, 20);
  expect(told(decisions)).toEqual([
    "10 grow hidden1+3",
    "16 undo hidden1+3 → 10",
    "10 grow hidden2+3",
    "16 undo hidden2+3 → 10",
    "10 skip",
  ]);
  const without = ({ progress, ...state }: TrainerState) => {
    const { step, epoch, offset, growths } = progress;
    return stateText({ ...state, progress: { ...plain.progress, step, epoch, offset, growths } });
  };
  expect(without(tried.state()) === without(plain.state())).toBe(true);
  const { flops, spent, rollbacks } = tried.progress;
  expect(rollbacks.map(({ from, to }) => [from, to])).toEqual([
    [16, 10],
    [16, 10],
  ]);
  expect(spent.training).toBeGreaterThan(1.6 * plain.progress.spent.training);
  expect(spent.growing).toBeGreaterThan(0);
  expect(flops).toBe(spent.training + spent.scoring + spent.growing);
  await plain.dispose();
  await tried.dispose();
});

test("charges scores and growths, and never exceeds its FLOPs or its parameters", async () => {
  const measure = await start();
  await measure.fit(train, { steps: 60 });
  const budget = { flops: 20 * measure.progress.flops };
  await measure.dispose();
  for (const where of [{ best: "parameters" }, { roundRobin: "all" }] as const) {
    const policy: GrowthPolicy = {
      when: { budget: { every: 0.2 } },
      where,
      howMany: { units: 3 },
      stop: { parameters: 200 },
      budget,
    };
    const trainer = await start();
    const result = await trainer.fit(train, { epochs: 500, growth: policy });
    const { flops, spent } = trainer.progress;
    expect(result.stoppedBy).toBe("budget");
    expect(flops).toBeLessThanOrEqual(budget.flops);
    expect(flops + trainer.nextStepFlops(train)).toBeGreaterThan(budget.flops);
    expect(flops).toBe(spent.training + spent.scoring + spent.growing);
    expect(trainer.growths.length).toBeGreaterThan(0);
    expect(spent.growing).toBe(trainer.growths.reduce((sum, growth) => sum + growth.flops, 0));
    expect(spent.scoring > 0).toBe("best" in where);
    expect(trainer.parameterCount).toBeLessThanOrEqual(200);
    await trainer.dispose();
  }
});

test("seconds are wall-clock time, also across a resume", async () => {
  const policy: GrowthPolicy = {
    when: { every: 1000 },
    howMany: { units: 1 },
    budget: { seconds: 0.2 },
  };
  const first = await start();
  await first.fit(train, { steps: 20, growth: policy });
  const used = first.progress.controller?.seconds ?? 0;
  expect(used).toBeGreaterThan(0);
  const second = await Trainer.resume(await first.checkpoint());
  const result = await second.fit(train, { steps: 100_000, growth: policy });
  expect(result.stoppedBy).toBe("budget");
  expect(second.progress.controller?.seconds).toBeGreaterThanOrEqual(0.2);
  expect(result.decisions.at(-1)?.why).toMatch(/^the run ends: /);
  await first.dispose();
  await second.dispose();
});

test("an impossible policy is refused before any step", async () => {
  const trainer = await start();
  const rules = { when: { every: 10 }, howMany: { units: 4 } } as const;
  const refused: readonly (readonly [GrowthPolicy, string])[] = [
    [{ ...rules, where: { width: "hidden3" } }, "UNKNOWN_WIDTH"],
    [{ ...rules, where: { width: "output" } }, "NOT_GROWABLE"],
    [{ ...rules, stop: { parameters: 10 } }, "ARGUMENT"],
    [{ ...rules, budget: { flops: 10 } }, "ARGUMENT"],
    [{ ...rules, trial: { steps: 5, minGain: 0, loss: "validation" } }, "ARGUMENT"],
    [{ ...rules, howMany: { units: 0 } }, "ARGUMENT"],
    [{ events: [{ width: "hidden3", by: 1, at: 0 }] }, "UNKNOWN_WIDTH"],
  ];
  for (const [growth, code] of refused)
    await expect(trainer.fit(train, { steps: 20, growth })).rejects.toMatchObject({ code });
  expect(trainer.step).toBe(0);
  await trainer.dispose();
});
