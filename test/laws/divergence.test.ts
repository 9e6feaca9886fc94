import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Dataset, dataset } from "../../src/data/dataset.ts";
import { twoMoons } from "../../src/data/generated/two-moons.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { EspalierError } from "../../src/tensor/errors.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import type { Metric } from "../../src/training/metrics/metric.ts";
import { adam } from "../../src/training/optimizers/adam.ts";
import { sgd } from "../../src/training/optimizers/sgd.ts";
import { stepRate } from "../../src/training/schedules/index.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";
import { normalFeatures } from "./exact-network.ts";

const updates = ["kernel", "graph"] as const;

function regression(count: number, scale: number, seed: number): Dataset {
  return dataset({
    features: normalFeatures([count, 4], seed).data.map((value) => scale * value),
    featureDims: [4],
    targets: normalFeatures([count, 2], seed + 1).data,
    targetDims: [2],
  });
}

/** Features so large that the loss overflows whatever the weights are. */
const overflowing = regression(8, 1e30, 3);

function weightsOf(trainer: Trainer): Map<string, Float32Array> {
  return new Map(
    [...trainer.state().learner.variables].map(([name, tensor]) => [
      name,
      (tensor as Tensor<"float32">).data,
    ]),
  );
}

async function failure(work: Promise<unknown>): Promise<EspalierError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof EspalierError)) throw new Error(`expected an EspalierError, got ${String(error)}`);
  return error;
}

describe.each(updates)("divergence, %s", (update) => {
  test("a diverging run stops, reports the step and keeps the weights of the last finite loss", async () => {
    const trainer = await Trainer.create(mlp([4, 8, 8, 2]), {
      loss: "meanSquaredError",
      optimizer: sgd({ learningRate: 50, momentum: 0.9 }),
      batchSize: 8,
      update,
    });
    const data = regression(32, 1, 1);
    let last = weightsOf(trainer);
    let error: EspalierError | undefined;
    for (let step = 0; step < 200 && error === undefined; step++) {
      const before = weightsOf(trainer);
      try {
        await trainer.trainStep(data);
        last = before;
      } catch (reason) {
        error = reason as EspalierError;
      }
    }
    expect(error?.code).toBe("DIVERGED");
    expect(error?.message).toContain(`training step ${trainer.step + 1}`);
    expect(trainer.step).toBeGreaterThan(1);
    expect(weightsOf(trainer)).toEqual(last);
    for (const values of last.values()) expect(values.every(Number.isFinite)).toBe(true);
    await trainer.dispose();
  });

  test("fit says the same, the loss is finite afterwards, and training can continue", async () => {
    const trainer = await Trainer.create(mlp([4, 8, 2]), {
      loss: "meanSquaredError",
      optimizer: adam({ learningRate: 1e-3 }),
      batchSize: 8,
      update,
    });
    const data = regression(32, 1, 1);
    await trainer.fit(data, { steps: 20 });
    const error = await failure(trainer.fit(overflowing, { steps: 5 }));
    expect(error.code).toBe("DIVERGED");
    expect(error.message).toContain("step 21");
    expect(Number.isFinite((await trainer.evaluate(data)).loss)).toBe(true);
    expect((await trainer.fit(data, { steps: 5 })).step).toBe(25);
    await trainer.dispose();
  });

  test("failing again and again does not bring the bad weights back", async () => {
    const trainer = await Trainer.create(mlp([4, 8, 2]), {
      loss: "meanSquaredError",
      optimizer: sgd({ learningRate: 1e30 }),
      batchSize: 8,
      update,
    });
    const good = weightsOf(trainer);
    // This step's loss is finite; the weights after its update are useless.
    await trainer.trainStep(regression(8, 1, 1));
    for (let failures = 0; failures < 4; failures++) {
      expect((await failure(trainer.trainStep(overflowing))).code).toBe("DIVERGED");
      expect(weightsOf(trainer), `after failure ${failures + 1}`).toEqual(good);
    }
    await trainer.dispose();
  });

  test("moments that restart also restart their age: no step of three learning rates", async () => {
    const rate = 1e-3;
    const trainer = await Trainer.create(mlp([4, 8, 2]), {
      loss: "meanSquaredError",
      optimizer: adam({ learningRate: rate }),
      batchSize: 8,
      update,
    });
    const data = regression(32, 1, 1);
    await trainer.fit(data, { steps: 500 });
    await trainer.widen("hidden1", { by: 3 });
    await trainer.fit(data, { steps: 3 });
    expect((await failure(trainer.trainStep(overflowing))).code).toBe("DIVERGED");
    const before = weightsOf(trainer);
    await trainer.trainStep(data);
    const after = weightsOf(trainer);
    let longest = 0;
    for (const [name, values] of after) {
      const was = before.get(name) as Float32Array;
      values.forEach((value, index) => {
        longest = Math.max(longest, Math.abs(value - (was[index] as number)));
      });
    }
    expect(longest).toBeGreaterThan(0.5 * rate);
    expect(longest).toBeLessThan(1.001 * rate);
    await trainer.dispose();
  });
});

describe.each(updates)("the last update, %s", (update) => {
  const data = regression(8, 1, 1);
  /**
   * One step whose loss is finite and whose update ruins the weights: they overflow, or only their loss is
   * not finite.
   */
  const ruined = async (learningRate: number) => {
    const trainer = await Trainer.create(mlp([4, 8, 2]), {
      loss: "meanSquaredError",
      optimizer: sgd({ learningRate }),
      batchSize: 8,
      update,
    });
    const good = weightsOf(trainer);
    await trainer.trainStep(data);
    expect(weightsOf(trainer)).not.toEqual(good);
    return { trainer, good };
  };

  test.each([1e39, 1e30])("is not kept if it ruined the weights: rate %d", async (rate) => {
    const folder = await mkdtemp(join(tmpdir(), "espalier-divergence-"));
    try {
      for (const keep of [
        (trainer: Trainer) => trainer.save(join(folder, "model.onnx")),
        (trainer: Trainer) => trainer.saveCheckpoint(join(folder, "checkpoints")),
        (trainer: Trainer) => trainer.checkpoint(),
        (trainer: Trainer) => trainer.widen("hidden1", { by: 2 }),
        (trainer: Trainer) => trainer.settle(),
      ]) {
        const { trainer, good } = await ruined(rate);
        const error = await failure(keep(trainer));
        expect(error.code).toBe("DIVERGED");
        expect(error.message).toContain("after training step 1");
        expect(await readdir(folder)).toEqual([]);
        expect(trainer.widths[0]?.size).toBe(8);
        expect(weightsOf(trainer)).toEqual(good);
        await keep(trainer);
        await rm(folder, { recursive: true, force: true });
        await mkdir(folder);
        await trainer.dispose();
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test("ends a fit as a later one would, and weights that are not finite are not saved", async () => {
    const trainer = await Trainer.create(mlp([4, 8, 2]), {
      loss: "meanSquaredError",
      optimizer: sgd({ learningRate: 1e39 }),
      batchSize: 8,
      update,
    });
    expect((await failure(trainer.fit(data, { steps: 1 }))).code).toBe("DIVERGED");
    expect(Number.isFinite((await trainer.evaluate(data)).loss)).toBe(true);
    await trainer.trainStep(data);
    expect(() => trainer.toBytes()).toThrow(/must be finite/);
    await trainer.dispose();
  });

  test("is not judged by a later batch or a restored state", async () => {
    const { trainer, good } = await ruined(1e39);
    trainer.restore(trainer.state());
    const error = await failure(trainer.checkpoint());
    // The restored weights are the only ones to go back to.
    expect(error.remedy).toContain("earlier state");
    expect((await failure(trainer.checkpoint())).code).toBe("DIVERGED");
    const state = trainer.state();
    const variables = new Map(
      [...state.learner.variables].map(([name, tensor]) => [
        name,
        { ...tensor, data: good.get(name) as Float32Array } as Tensor,
      ]),
    );
    trainer.restore({ ...state, learner: { ...state.learner, variables } });
    await trainer.checkpoint();
    await trainer.dispose();
  });
});

test.each(updates)("requests during a fit wait for the current step, %s", async (update) => {
  const make = () =>
    Trainer.create(mlp([2, 4, 2]), { optimizer: adam({ learningRate: 1e-2 }), batchSize: 16, update });
  const data = twoMoons({ count: 64, seed: 1 });
  const trainer = await make();
  const fit = trainer.fit(data, { steps: 20 });
  const [growth, score] = await Promise.all([
    trainer.widen("hidden1", { by: 3 }),
    trainer.evaluate(data),
    trainer.checkpoint(),
  ]);
  expect((await fit).step).toBe(20);
  const again = await make();
  await again.fit(data, { steps: growth.step });
  const same = await again.widen("hidden1", { by: 3 });
  expect(growth.loss).toEqual(same.loss);
  expect(score).toEqual(await again.evaluate(data));
  await again.fit(data, { steps: 20 - growth.step });
  expect(weightsOf(trainer)).toEqual(weightsOf(again));
  await trainer.dispose();
  await again.dispose();
});

describe("early stopping", () => {
  const { train, validation } = {
    train: twoMoons({ count: 128, seed: 1 }),
    validation: twoMoons({ count: 64, seed: 2 }),
  };

  test.each(updates)("returns to the best weights, across a growth, %s", async (update) => {
    for (const growAt of [5, 35]) {
      const trainer = await Trainer.create(mlp([2, 6, 2]), {
        optimizer: adam({ learningRate: stepRate(5e-3, { every: 30, factor: 300 }) }),
        batchSize: 16,
        update,
      });
      const seen: { step: number; loss: number; units: number }[] = [];
      const result = await trainer.fit(train, {
        steps: 200,
        validation,
        validateEvery: 5,
        earlyStopping: { patience: 4 },
        onStep: async ({ step }) => {
          if (step === growAt) await trainer.widen("hidden1", { by: 4 });
        },
        onValidation: ({ loss }, { step }) => {
          seen.push({ step, loss, units: trainer.widths[0]?.size as number });
        },
      });
      const best = seen.reduce((least, one) => (one.loss < least.loss ? one : least));
      expect(result.stoppedBy).toBe("early stopping");
      expect(result.best).toEqual({ step: best.step, score: best.loss });
      expect(best.step).toBeLessThan(result.step);
      expect(best.units).toBe(growAt === 5 ? 10 : 6);
      expect(seen.at(-1)?.units).toBe(10);
      expect((await trainer.evaluate(validation)).loss).toBe(best.loss);
      expect(trainer.widths[0]?.size).toBe(best.units);
      expect(trainer.growths.length).toBe(growAt === 5 ? 1 : 0);
      expect(trainer.model.graph.parameters.get("hidden1.weight")?.dims).toEqual([best.units, 2]);
      expect((await trainer.fit(train, { steps: 3 })).steps).toBe(3);
      await trainer.dispose();
    }
  });

  test("a validation score of NaN is not an improvement", async () => {
    let calls = 0;
    const odd: Metric = {
      name: "odd",
      better: "lower",
      tally: () => {
        calls++;
        return [calls === 1 || calls === 4 ? Number.NaN : 10 - calls];
      },
      value: ([sum = 0]) => sum,
    };
    const trainer = await Trainer.create(mlp([2, 4, 2]), { metrics: [odd], batchSize: 16 });
    const result = await trainer.fit(train, {
      steps: 6,
      validation,
      validateEvery: 1,
      earlyStopping: { patience: 10, monitor: "odd" },
    });
    expect(result.best?.step).toBe(6);
    expect(result.best?.score).toBe(4);
    await trainer.dispose();
  });
});
