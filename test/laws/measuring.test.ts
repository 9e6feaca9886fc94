import { describe, expect, test } from "vitest";
import { type Dataset, dataset, subset } from "../../src/data/dataset.ts";
import type { Model } from "../../src/graph/model.ts";
import { findWidths } from "../../src/growth/find/widths.ts";
import { type GrowthStep, replay } from "../../src/growth/grow/grow-model.ts";
import { planDocument, readPlan } from "../../src/growth/grow/plan-file.ts";
import { type ScoreName, scores } from "../../src/growth/scores/index.ts";
import { firstDraws, trialOf } from "../../src/growth/strategies/candidates.ts";
import type { StrategyName } from "../../src/growth/strategies/index.ts";
import { cnn } from "../../src/nn/cnn.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { Random } from "../../src/tensor/random.ts";
import type { Batch } from "../../src/training/graphs/batch.ts";
import type { Program } from "../../src/training/graphs/program.ts";
import { MeasurementCache } from "../../src/training/measure/measurement-cache.ts";
import { ModelProbe } from "../../src/training/measure/model-probe.ts";
import { Sample } from "../../src/training/measure/sample.ts";
import { adam } from "../../src/training/optimizers/adam.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";
import { normalFeatures } from "./exact-network.ts";
import { stateText } from "./state-text.ts";

function labeled(model: Model, count: number): Dataset {
  const dims = model.graph.inputs[0]?.shape.slice(1) as readonly number[];
  const classes = model.graph.outputs[0]?.shape[1] as number;
  const draws = new Random(3, "labels");
  return dataset({
    features: normalFeatures([count, ...dims], 1).data,
    featureDims: dims,
    labels: Int32Array.from({ length: count }, () => draws.integer(classes)),
  });
}

const models = {
  mlp: () => mlp([6, 5, 4, 3], { activation: "tanh", dropout: 0.2 }),
  cnn: () => cnn({ input: [1, 6, 6], filters: [3], hidden: [5], classes: 3, activation: "tanh" }),
};

describe("a growth chosen by data", () => {
  test.each(
    (["mlp", "cnn"] as const).flatMap((kind) =>
      (["candidates", "gradmax", "tiny"] as const).map((strategy) => [kind, strategy] as const),
    ),
  )("goes on from a checkpoint as if it had never stopped: %s, %s", async (kind, strategy) => {
    const model = models[kind]();
    const data = labeled(model, 50);
    const options = { optimizer: adam({ learningRate: 1e-2 }), batchSize: 16, seed: 7 };
    const run = async (stopping: boolean) => {
      let trainer = await Trainer.create(model, options);
      await trainer.fit(data, { steps: 11 });
      if (stopping) {
        const bytes = await trainer.checkpoint();
        await trainer.dispose();
        trainer = await Trainer.resume(bytes);
      }
      // A sample of the examples, which depends only on seed and step.
      const record = await trainer.widen("hidden1", { by: 2, strategy, data, examples: 30, batchSize: 7 });
      await trainer.fit(data, { steps: 9 });
      const text = stateText(trainer.state());
      await trainer.dispose();
      return { text, record };
    };
    const [whole, resumed] = [await run(false), await run(true)];
    expect(resumed.text).toBe(whole.text);
    expect(resumed.record.choosing?.flops).toBe(whole.record.choosing?.flops);
  });

  test.each(["candidates", "gradmax", "tiny"] as const)(
    "is in a plan that survives JSON and is repeated without the data: %s",
    async (strategy) => {
      for (const make of Object.values(models)) {
        const model = make();
        const trainer = await Trainer.create(model);
        const steps: GrowthStep[] = [];
        for (const width of trainer.widths.filter(({ growable }) => growable)) {
          // A maximum pool of zeros has one gradient for all of them, so few directions may be left.
          const { plan } = await trainer.widen(width.id, { by: 1, strategy, data: labeled(model, 40) });
          steps.push({ kind: "width", ...plan });
          expect(plan.choice).toHaveProperty(strategy === "candidates" ? "picks" : "values");
        }
        const grown = trainer.model;
        await trainer.dispose();
        const text = JSON.stringify(planDocument(model, steps));
        const again = replay(model, readPlan(text, model));
        expect(again.graph.parameters).toEqual(grown.graph.parameters);
        expect(again.graph.nodes).toEqual(grown.graph.nodes);
        expect(findWidths(again).map(({ id, size }) => [id, size])).toEqual(
          findWidths(grown).map(({ id, size }) => [id, size]),
        );
      }
    },
  );

  test("that was edited is refused", async () => {
    const model = models.mlp();
    const planned = async (strategy: StrategyName) => {
      const trainer = await Trainer.create(model);
      const { plan } = await trainer.widen("hidden1", { by: 2, strategy, data: labeled(model, 40) });
      await trainer.dispose();
      return { kind: "width", ...plan } as const;
    };
    const refused = (step: unknown) => {
      const text = JSON.stringify(planDocument(model, [step as GrowthStep]));
      expect(() => replay(model, readPlan(text, model)), text).toThrow(
        expect.objectContaining({ code: "FORMAT" }),
      );
    };
    const picked = await planned("candidates");
    const picks = picked.choice?.picks as readonly number[];
    expect(() => replay(model, [picked])).not.toThrow();
    for (const choice of [
      { picks: picks.slice(1) },
      { picks: [...picks, 3] },
      { picks: [0.5, 1] },
      { picks: ["0", 1] },
      { picks: null },
      {},
      null,
      7,
      { picks, more: 1 },
    ]) {
      refused({ ...picked, choice });
    }
    refused({ ...picked, from: picked.from + 1 });
    // A strategy that needs no data has no choice: any values could have been put in.
    refused({ ...picked, strategy: "random" });
    const valued = await planned("gradmax");
    const values = valued.choice?.values as Readonly<Record<string, string>>;
    const [key = "", text = ""] = Object.entries(values)[0] ?? [];
    expect(() => replay(model, [valued])).not.toThrow();
    for (const changed of [
      { [key]: "not base64!" },
      { [key]: 5 },
      { [key]: text.slice(0, 4) },
      { [key]: text + text },
      { [key]: text.slice(1) },
      // NaN, but the right number of values.
      { [key]: `AADA${text.slice(4)}`.replace(/^.{8}/, "AADAfwAA") },
      { "nobody axis 0": text },
      "text",
    ]) {
      refused({ ...valued, choice: { values: changed } });
    }
  });
});

describe("statistics in batches", () => {
  const count = 10_000;
  const model = mlp([6, 5, 3], { activation: "tanh" });
  const data = labeled(model, count);

  async function measured(batchSize: number) {
    const compiled = new MeasurementCache();
    const settings = { loss: "crossEntropy", output: "output", session: {} } as const;
    const probed = { model, widths: findWidths(model), settings, compiled };
    const sample = new Sample(data, { examples: count, batchSize }, { seed: 1, step: 0 });
    const sizes: number[] = [];
    const { batches } = sample;
    sample.batches = function* (program: Program): Generator<Batch> {
      for (const batch of batches.call(sample, program)) {
        sizes.push(batch.size);
        for (const { name, batchAxis } of program.inputs) {
          expect(batch.feeds[name]?.dims[batchAxis]).toBe(batch.size);
        }
        yield batch;
      }
    };
    const probe = new ModelProbe(probed, "hidden1", sample);
    const { gradientSquares, activationSquares } = await probe.respond(trialOf(firstDraws(20), 4));
    const { pull, inputMoment } = await probe.residual();
    const { fanIn, fanOut, gradient } = await probe.curvature(trialOf(firstDraws(3), 4));
    const matrices = { pull, inputMoment, fanIn, fanOut, gradient, plain: await probe.pull() };
    await compiled.release();
    const numbers = {
      gradientSquares,
      activationSquares,
      ...Object.fromEntries(Object.entries(matrices).map(([name, { data: values }]) => [name, values])),
    };
    return { sizes, numbers, flops: probe.flops };
  }

  test("10,000 examples give the same means in batches of 256 as all at once, and no batch is larger", async () => {
    const [parts, whole] = [await measured(256), await measured(count)];
    expect(Math.max(...parts.sizes)).toBe(256);
    // Each measurement sees every example once: 39 whole batches and the rest.
    expect(parts.sizes.length % 40).toBe(0);
    expect(parts.sizes.reduce((sum, size) => sum + size)).toBe((count * parts.sizes.length) / 40);
    expect(Math.max(...whole.sizes)).toBe(count);
    expect(Math.abs(parts.flops / whole.flops - 1)).toBeLessThan(0.01);
    for (const [name, values] of Object.entries(whole.numbers)) {
      const others = (parts.numbers as Record<string, Float64Array>)[name] as Float64Array;
      expect(others.length, name).toBe(values.length);
      const size = Math.hypot(...values);
      expect(size, name).toBeGreaterThan(0);
      // Float32 sums of 10,000 terms: an error of about 1e-6 of the whole, not of each entry.
      const off = Math.hypot(...values.map((value, index) => value - (others[index] as number)));
      expect(off / size, name).toBeLessThan(1e-5);
    }
  });

  test("scores are those of the whole data, and a sample has the requested size", async () => {
    const trainer = await Trainer.create(model);
    for (const method of Object.keys(scores) as ScoreName[]) {
      const of = async (batchSize: number, examples: number) =>
        (await trainer.score(data, { method, examples, batchSize, units: 2 }))[0]?.gains as readonly number[];
      const [parts, whole, fewer] = [await of(256, count), await of(count, count), await of(256, 300)];
      expect(parts).toHaveLength(2);
      parts.forEach((gain, index) => {
        expect(Math.abs(gain / (whole[index] as number) - 1), method).toBeLessThan(1e-4);
      });
      expect(fewer).not.toEqual(parts);
    }
    // Requesting more than there are gives all of them.
    const few = subset(
      data,
      Uint32Array.from({ length: 30 }, (_, index) => index),
    );
    const record = await trainer.widen("hidden1", {
      by: 1,
      strategy: "candidates",
      data: few,
      examples: 512,
    });
    expect(record.choosing?.examples).toBe(30);
    await trainer.dispose();
  });
});
