import { describe, expect, test } from "vitest";
import { dataset } from "../../data/dataset.ts";
import { mlp } from "../../nn/mlp.ts";
import { sgd } from "../optimizers/sgd.ts";
import { Trainer } from "../trainer/trainer.ts";
import {
  constantRate,
  cosineRate,
  isOver,
  oneCycleRate,
  prolonged,
  rateAt,
  type Schedule,
  type ScheduleName,
  stepRate,
  wsdRate,
} from "./index.ts";

describe("schedules", () => {
  test("cosine: up to the peak, held, half a cosine down, and there it stays", () => {
    const schedule = cosineRate(1, { steps: 110, warmup: 10, hold: 40, final: 0.2 });
    expect([0, 4, 9].map((step) => rateAt(schedule, step))).toEqual([0.1, 0.5, 1]);
    for (const step of [10, 30, 50]) expect(rateAt(schedule, step)).toBe(1);
    expect(rateAt(schedule, 80)).toBeCloseTo(0.6, 12);
    expect(rateAt(schedule, 110)).toBeCloseTo(0.2, 12);
    expect(rateAt(schedule, 1000)).toBeCloseTo(0.2, 12);
  });

  test("without a hold it falls from the first step on", () => {
    const schedule = cosineRate(1, { steps: 100 });
    expect(rateAt(schedule, 0)).toBe(1);
    expect(rateAt(schedule, 50)).toBeCloseTo(0.5, 12);
  });

  test("no room for the cosine is refused", () => {
    expect(() => cosineRate(1, { steps: 50, warmup: 10, hold: 40 })).toThrow(/warm-up and hold/);
  });

  test("step: a factor every n steps", () => {
    const schedule = stepRate(1, { every: 10, factor: 0.5 });
    expect([0, 9, 10, 25].map((step) => rateAt(schedule, step))).toEqual([1, 1, 0.5, 0.25]);
  });
});

/** A new schedule gets its rates here: the compiler asks for them. oneCycle is PyTorch's, the others are written out. */
const rates: Readonly<Record<ScheduleName, readonly [Schedule, readonly number[]]>> = {
  constant: [constantRate(0.3), [0.3, 0.3]],
  cosine: [cosineRate(1, { steps: 4, warmup: 2 }), [0.5, 1, 1, 0.5, 0]],
  step: [stepRate(1, { every: 2 }), [1, 1, 0.1, 0.1, 0.01]],
  wsd: [
    wsdRate(1, { steps: 10, warmup: 2, share: 0.4, final: 0.2 }),
    [0.5, 1, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2, 0.2],
  ],
  oneCycle: [
    oneCycleRate(0.4, { steps: 10, finalDivide: 1e3 }),
    [
      0.016, 0.208, 0.4, 0.380194566, 0.324700972, 0.244510407, 0.155505593, 0.075315028, 0.019821434, 1.6e-5,
      1.6e-5,
    ],
  ],
};

test.each(Object.entries(rates))("rates of %s", (name, [schedule, expected]) => {
  expect(schedule.kind).toBe(name);
  expected.forEach((rate, at) => {
    expect(rateAt(schedule, at), `step ${at}`).toBeCloseTo(rate, 8);
  });
});

describe("a run that continues", () => {
  const schedule = cosineRate(0.1, { steps: 30, warmup: 5 });

  test("gets another cosine after a finished one", () => {
    const next = prolonged(schedule, 30, 44);
    expect(next?.note).toContain("ended at step 30: a new one goes from 0.1 at step 30 to 0 at step 44");
    const rates = Array.from({ length: 14 }, (_, at) => rateAt(next?.schedule ?? schedule, 30 + at));
    expect(rates.every((rate) => rate > 0)).toBe(true);
    expect(Math.max(...rates)).toBe(0.1);
    expect(rateAt(next?.schedule ?? schedule, 44)).toBe(0);
  });

  test("has only a few steps: no warm-up", () => {
    expect(rateAt(prolonged(schedule, 30, 32)?.schedule ?? schedule, 30)).toBe(0.1);
  });

  test("comes down by the new end, if the old one has not been reached", () => {
    const next = prolonged(schedule, 10, 40)?.schedule ?? schedule;
    expect(isOver(next, 39)).toBe(false);
    expect(rateAt(next, 29)).toBeGreaterThan(rateAt(schedule, 29));
  });

  test("keeps what need not change", () => {
    expect(prolonged(schedule, 10, 30)).toBeUndefined();
    expect(prolonged(constantRate(0.1), 10, 50)).toBeUndefined();
    expect(prolonged(stepRate(0.1, { every: 3 }), 10, 50)).toBeUndefined();
  });

  test("fit does no updates at rate 0, and takes a new schedule from `resume`", async () => {
    const data = dataset({
      features: new Float32Array(20).fill(1),
      featureDims: [2],
      labels: [0, 1, 0, 1, 0, 1, 0, 1, 0, 1],
    });
    const trainer = await Trainer.create(mlp([2, 2]), { optimizer: sgd({ learningRate: schedule }) });
    await expect(trainer.fit(data, { steps: 31 })).rejects.toMatchObject({ code: "ARGUMENT", thing: "fit" });
    expect(trainer.step).toBe(0);
    await trainer.fit(data, { steps: 30 });
    await expect(trainer.fit(data, { steps: 1 })).rejects.toMatchObject({ code: "ARGUMENT" });
    await expect(trainer.fit(data, { epochs: 1 })).rejects.toMatchObject({ code: "ARGUMENT" });
    const learningRate = cosineRate(0.1, { from: trainer.step, steps: 44 });
    const next = await Trainer.resume(await trainer.checkpoint(), { learningRate });
    await next.fit(data, { steps: 14 });
    expect(next.step).toBe(44);
    await Promise.all([trainer.dispose(), next.dispose()]);
  });
});
