import { describe, expect, test } from "vitest";
import { dataset } from "../../src/data/dataset.ts";
import { compile } from "../../src/models/compile.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { newGraph } from "../../src/ops/index.ts";
import { float32, int32, type Tensor } from "../../src/tensor/tensor.ts";
import { differentiate } from "../../src/training/graphs/differentiate.ts";
import { type LossName, losses } from "../../src/training/losses/index.ts";
import type { Loss } from "../../src/training/losses/loss.ts";
import { type MetricName, metrics } from "../../src/training/metrics/index.ts";
import { addTally, type Metric, type ScoredBatch } from "../../src/training/metrics/metric.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";

interface Expected {
  readonly loss: Loss;
  readonly output: Tensor;
  readonly target: Tensor;
  readonly weights?: readonly number[];
  readonly value: number;
  readonly gradient: readonly number[];
}

const logits = float32([4, 3], [0.5, -1.25, 2, 1.5, 0.25, -0.75, -0.5, 0.75, 0, 3, -2, 1]);
const labels = int32([4], [2, 1, 1, 0]);
const weights = [0.5, 2, 1];
const numbers = float32([2, 3], [0.5, -1.25, 2, 1.5, 0.25, -0.75]);
const targets = float32([2, 3], [0.25, 1, -1, 1.5, 0.5, 0]);

const plain = {
  value: 0.627703038,
  gradient: [
    0.044205046, 0.007681685, -0.051886731, 0.179610085, -0.198540849, 0.018930764, 0.040722819, -0.107863396,
    0.067140578, -0.031099851, 0.001474938, 0.029624914,
  ],
};

/** A new loss gets its values here: the compiler asks for them. From PyTorch in float64; focal by its formula. */
const cases: Readonly<Record<LossName, readonly Expected[]>> = {
  crossEntropy: [
    { loss: losses.crossEntropy(), output: logits, target: labels, ...plain },
    {
      loss: losses.crossEntropy({ smoothing: 0.2 }),
      output: logits,
      target: labels,
      value: 0.852703038,
      gradient: [
        0.027538379, -0.008984982, -0.018553397, 0.162943419, -0.165207516, 0.002264097, 0.024056152,
        -0.074530063, 0.050473911, 0.002233482, -0.015191729, 0.012958247,
      ],
    },
    {
      loss: losses.crossEntropy({ smoothing: 0.2 }),
      output: logits,
      target: int32([4], [2, -100, 1, 0]),
      weights,
      value: 0.781355417,
      gradient: [
        0.042680244, -0.029023534, -0.01365671, 0, 0, 0, 0.075800192, -0.197428068, 0.121627877, 0.034632489,
        -0.037027664, 0.002395176,
      ],
    },
  ],
  tokenCrossEntropy: [
    { loss: losses.tokenCrossEntropy(), output: logits, target: labels, ...plain },
    {
      loss: losses.tokenCrossEntropy({ smoothing: 0.2 }),
      output: float32([2, 2, 3], logits.data),
      target: int32([2, 2], labels.data),
      weights,
      value: 1.028662499,
      gradient: [
        0.027160155, -0.018469522, -0.008690634, 0.233419508, -0.246539314, 0.013119806, 0.048236486,
        -0.125636044, 0.077399558, 0.022038856, -0.023563059, 0.001524203,
      ],
    },
  ],
  focal: [
    {
      loss: losses.focal(),
      output: logits,
      target: labels,
      value: 0.278528566,
      gradient: [
        0.005286701, 0.000918691, -0.006205391, 0.206097894, -0.227820453, 0.021722558, 0.018862077,
        -0.049960384, 0.031098307, -0.00138131, 6.551e-5, 0.0013158,
      ],
    },
    {
      loss: losses.focal({ gamma: 0.5 }),
      output: logits,
      target: labels,
      weights,
      value: 0.670631779,
      gradient: [
        0.02115065, 0.003675432, -0.024826082, 0.280507199, -0.31007244, 0.029565241, 0.053382795,
        -0.141396144, 0.088013349, -0.005853558, 0.00027761, 0.005575948,
      ],
    },
    { loss: losses.focal({ gamma: 0 }), output: logits, target: labels, ...plain },
  ],
  meanSquaredError: [
    {
      loss: losses.meanSquaredError(),
      output: numbers,
      target: targets,
      value: 2.458333333,
      gradient: [0.083333333, -0.75, 1, 0, -0.083333333, -0.25],
    },
  ],
  meanAbsoluteError: [
    {
      loss: losses.meanAbsoluteError(),
      output: numbers,
      target: targets,
      value: 1.083333333,
      gradient: [0.166666667, -0.166666667, 0.166666667, 0, -0.166666667, -0.166666667],
    },
  ],
  huber: [
    {
      loss: losses.huber(),
      output: numbers,
      target: targets,
      value: 0.765625,
      gradient: [0.041666667, -0.166666667, 0.166666667, 0, -0.041666667, -0.125],
    },
    {
      loss: losses.huber({ delta: 0.3 }),
      output: numbers,
      target: targets,
      value: 0.287916667,
      gradient: [0.041666667, -0.05, 0.05, 0, -0.041666667, -0.05],
    },
  ],
  binaryCrossEntropy: [
    {
      loss: losses.binaryCrossEntropy(),
      output: numbers,
      target: float32([2, 3], [0, 1, 1, 1, 0.5, 0]),
      value: 0.648692963,
      gradient: [0.103743222, -0.129549977, -0.019867154, -0.030404254, 0.01036275, 0.053470217],
    },
  ],
};

describe.each(Object.entries(cases))("loss %s", (name, list) => {
  test.each(list)("has PyTorch's value and gradient: $loss.options", async (expected) => {
    const { loss, output, target } = expected;
    expect(loss.name).toBe(name);
    const graph = newGraph();
    const given = graph.input("output", { dtype: "float32", shape: output.dims });
    const right = graph.input("target", { dtype: target.dtype, shape: loss.targetShape(output.dims) });
    const value = loss.emit(graph, given, right, expected.weights);
    const gradient = differentiate(graph, value, [given]).get(given) as string;
    const session = await compile(graph, [value, gradient], {});
    const results = await session.run({ output, target }, { [value]: null, [gradient]: null });
    expect(results[value]?.data[0]).toBeCloseTo(expected.value, 6);
    expected.gradient.forEach((slope, at) => {
      expect(results[gradient]?.data[at]).toBeCloseTo(slope, 6);
    });
    await session.release();
  });
});

const own: Loss = { ...losses.meanSquaredError(), name: "quartic" };

test("a checkpoint stores a loss with options, and asks for one of your own", async () => {
  const data = dataset({
    features: numbers.data,
    featureDims: [3],
    targets: new Float32Array([1, 2]),
    targetDims: [1],
  });
  for (const loss of [losses.huber({ delta: 0.5 }), own]) {
    const trainer = await Trainer.create(mlp([3, 1]), { loss });
    await trainer.fit(data, { steps: 2 });
    const bytes = await trainer.checkpoint();
    if (loss === own)
      await expect(Trainer.resume(bytes)).rejects.toMatchObject({ code: "ARGUMENT", thing: "loss" });
    const resumed = await Trainer.resume(bytes, loss === own ? { loss } : {});
    expect((await resumed.evaluate(data)).loss).toBe((await trainer.evaluate(data)).loss);
    await Promise.all([trainer.dispose(), resumed.dispose()]);
  }
});

const batch: ScoredBatch = { output: logits, target: labels, classAxis: 1, predicts: "class" };
const regression: ScoredBatch = { output: numbers, target: targets, predicts: "number" };
const regressionData = dataset({
  features: numbers.data,
  featureDims: [3],
  targets: targets.data as Float32Array,
  targetDims: [3],
});

/** A new metric gets its values here. From scikit-learn 1.x, or the formula written out. */
const figures: Readonly<Record<MetricName, readonly [Metric, ScoredBatch, number][]>> = {
  // Guesses 2, 0, 1, 0 for labels 2, 1, 1, 0.
  accuracy: [[metrics.accuracy(), batch, 0.75]],
  topK: [
    [metrics.topK({ k: 1 }), batch, 0.75],
    [metrics.topK({ k: 2 }), batch, 1],
  ],
  // Of the classes 0, 1, 2: 2·1/3, 2·1/3, 2·1/2.
  f1: [[metrics.f1(), batch, (2 / 3 + 2 / 3 + 1) / 3]],
  meanAbsoluteError: [[metrics.meanAbsoluteError(), regression, 6.5 / 6]],
  rootMeanSquaredError: [[metrics.rootMeanSquaredError(), regression, Math.sqrt(14.75 / 6)]],
  // Variances of the three targets: 0.390625, 0.0625, 0.25.
  r2: [[metrics.r2(), regression, 1 - 14.75 / 6 / ((0.390625 + 0.0625 + 0.25) / 3)]],
};

describe.each(Object.entries(figures))("metric %s", (_, list) => {
  test.each(list)("$name", (metric, scored, expected) => {
    const sums: number[] = [];
    // Counting the same batch twice gives the same figure.
    addTally(sums, metric.tally(scored));
    addTally(sums, metric.tally(scored));
    expect(metric.value(sums, regressionData)).toBeCloseTo(expected, 6);
  });
});

test("a metric of classes and a loss of numbers do not go together", () => {
  expect(() => metrics.f1().tally(regression)).toThrow(expect.objectContaining({ code: "ARGUMENT" }));
  expect(() => metrics.r2().tally(batch)).toThrow(expect.objectContaining({ code: "ARGUMENT" }));
});
