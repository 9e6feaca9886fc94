import type { WidthDiagnosis } from "../../src/growth/examine/diagnose.ts";
import type { RunArm, RunDiagnosis, RunPoint, RunRecord } from "../../src/report/record/run-record.ts";
import type { GrowthRecord } from "../../src/training/history/record.ts";

/** Numbers in [0, 1) that look random and are always the same (a linear congruential generator). */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export function sampleGrowth(step: number, width: string, before: number, after: number): GrowthRecord {
  const random = noise(step + before);
  const added = after - before;
  const loss = 2.3 * Math.exp(-step / 260) + 0.09;
  return {
    width,
    step,
    strategy: "random",
    size: { before, after },
    loss: { before: loss, after: loss },
    output: {
      maxDifference: step > 400 ? 2.4e-7 : 0,
      roundingBound: 8.1e-6,
      preserved: true,
      identical: step <= 400,
    },
    newUnits: Array.from({ length: added }, (_, index) => ({
      unit: before + index,
      gradientNorm: 0.02 + 0.11 * random(),
      dead: false,
    })),
    identicalUnits: [],
    parameters: { before: before * 75 + 10, after: after * 75 + 10 },
    flopsPerExample: { before: before * 440, after: after * 440 },
    flops: 3 * 64 * after * 440,
    pauseMs: 3 + 2 * random(),
    plan: {
      width,
      from: before,
      to: after,
      strategy: "random",
      method: "zero outgoing",
      seed: 7,
      edits: [],
      numbers: [],
      repairs: [],
      carried: [],
    },
  };
}

export function sampleDiagnosis(step: number, widths: Readonly<Record<string, number>>): RunDiagnosis {
  const random = noise(step + 99);
  return {
    step,
    widths: Object.entries(widths).map(([width, units]): WidthDiagnosis => {
      const weights = 0.42 + 0.2 * (1 - Math.exp(-step / 500)) + 0.03 * random();
      const activations = 0.7 + 0.12 * (1 - Math.exp(-step / 300)) + 0.03 * random();
      return {
        width,
        units,
        dead: [],
        identical: [],
        collapsing: [],
        mostAlike: { units: [1, units - 2], weights, activations },
      };
    }),
  };
}

/** A grown arm and one from scratch, as `espalier demo` records them. */
export function sampleRun(points = 41, stepsBetween = 25): RunRecord {
  const last = (points - 1) * stepsBetween;
  const [first, second] = [Math.round(last * 0.3), Math.round(last * 0.6)];
  const sizeAt = (step: number) => (step < first ? 8 : step < second ? 16 : 32);
  const grown = sampleArm("grown", points, stepsBetween, 1, sizeAt);
  const scratch = sampleArm("from scratch", points, stepsBetween, 2, () => 32);
  return {
    title: "Digits: grown 8 → 32 beside 32 from scratch",
    date: "2026-11-23T09:33:13.000Z",
    configuration: {
      data: "digits (1,437 training, 360 test)",
      layers: "64-8-10",
      activation: "relu",
      optimizer: "adam",
      "learning rate": 0.003,
      batch: 64,
      steps: last,
      seed: 42,
      threads: 1,
      shuffle: true,
      widen: `hidden1=+8@${first}, hidden1=+16@${second}`,
    },
    metric: "accuracy",
    arms: [
      { ...grown, growths: [sampleGrowth(first, "hidden1", 8, 16), sampleGrowth(second, "hidden1", 16, 32)] },
      scratch,
    ],
  };
}

function sampleArm(
  name: string,
  points: number,
  stepsBetween: number,
  seed: number,
  sizeAt: (step: number) => number,
): RunArm {
  const random = noise(seed);
  const scale = 1000 / ((points - 1) * stepsBetween || 1);
  let flops = 0;
  let seconds = 0;
  const curve = Array.from({ length: points }, (_, index): RunPoint => {
    const step = index * stepsBetween;
    if (index > 0) {
      flops += stepsBetween * 64 * 440 * sizeAt(step - 1);
      seconds += stepsBetween * (6e-5 + 2e-6 * sizeAt(step - 1));
    }
    const time = step * scale;
    const pace = 170 + 700 / sizeAt(step);
    const loss = 2.25 * Math.exp(-time / pace) + 0.055 + 0.02 * (random() - 0.5) * Math.exp(-time / 500);
    const trainLoss =
      index === 0
        ? Number.NaN
        : Math.max(0.012, loss * (0.82 - time / 2400) + 0.05 * (random() - 0.5) * loss);
    const accuracy = 0.979 - 0.88 * Math.exp(-time / (pace * 0.6)) + 0.008 * (random() - 0.5);
    return { step, flops, seconds, trainLoss, test: { loss, accuracy }, widths: { hidden1: sizeAt(step) } };
  });
  return {
    name,
    points: curve,
    growths: [],
    diagnoses: curve
      .filter((_, index) => index % 4 === 0)
      .map(({ step, widths }) => sampleDiagnosis(step, widths as Record<string, number>)),
    parameters: 32 * 75 + 10,
    final: (curve.at(-1) as RunPoint).test as { loss: number },
  };
}
