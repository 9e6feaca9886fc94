import { describe, expect, it } from "vitest";
import { type RawTrainOptions, readTrainOptions } from "./train-options.ts";

const defaults: RawTrainOptions = {
  data: "digits",
  testFraction: "0.2",
  activation: "relu",
  dropout: "0",
  optimizer: "adam",
  schedule: "constant",
  batch: "32",
  seed: "0",
  threads: "1",
  widen: [],
};
const read = (raw: Partial<RawTrainOptions>) => readTrainOptions({ ...defaults, ...raw });

describe("the options of train", () => {
  it("have defaults that train the digits", () => {
    const plan = read({});
    expect(plan.network).toMatchObject({ hidden: [32], conv: [], layers: undefined });
    expect(plan.steps(32)).toBe(20 * 32);
    expect(plan.optimizer(640)).toMatchObject({
      name: "adam",
      learningRate: { kind: "constant", rate: 0.001 },
    });
  });

  it("turn into optimizers and schedules", () => {
    expect(
      read({ optimizer: "sgd", momentum: "0.9", nesterov: true, weightDecay: "1e-4" }).optimizer(10),
    ).toMatchObject({
      name: "sgd",
      options: { momentum: 0.9, nesterov: true, weightDecay: 1e-4 },
      learningRate: { rate: 0.01 },
    });
    const cosine = read({ schedule: "cosine", warmup: "5", finalRate: "1e-5", learningRate: "0.1" });
    expect(cosine.optimizer(100).learningRate).toEqual({
      kind: "cosine",
      hold: 0,
      rate: 0.1,
      warmup: 5,
      steps: 100,
      final: 1e-5,
    });
    expect(() => cosine.optimizer(5)).toThrow(/must be less than the 5 steps/);
    expect(read({ schedule: "step", decayEvery: "7" }).optimizer(9).learningRate).toMatchObject({
      every: 7,
      factor: 0.1,
    });
    expect(read({ optimizer: "adamw" }).optimizer(1).options.weightDecay).toBe(0.01);
  });

  it("say how newborns are treated", () => {
    expect(read({}).newborn).toEqual({ warmup: 0, youth: 0, rate: 1 });
    expect(read({ newbornWarmup: "200", newbornYouth: "50", newbornRate: "0.3" }).newborn).toEqual({
      warmup: 200,
      youth: 50,
      rate: 0.3,
    });
  });

  it("leave hidden layers out after convolutions unless requested", () => {
    expect(read({ conv: "8,16" }).network).toMatchObject({ conv: [8, 16], hidden: [] });
    expect(read({ conv: "8" }).data.images).toBe(true);
    expect(read({ conv: "8", hidden: "4" }).network.hidden).toEqual([4]);
  });

  it.each<[string, Partial<RawTrainOptions>]>([
    ["--epochs and --steps", { epochs: "1", steps: "1" }],
    ["--layers", { layers: "64,10", hidden: "8" }],
    ["--layers", { layers: "64" }],
    ["--momentum", { momentum: "0.5" }],
    ["--nesterov", { nesterov: true }],
    ["--nesterov", { optimizer: "sgd", nesterov: true }],
    ["--warmup", { warmup: "3" }],
    ["--decay-every", { schedule: "cosine", decayEvery: "3" }],
    ["--schedule step", { schedule: "step" }],
    ["--validation-fraction", { validationFraction: "0.1" }],
    ["--test-fraction", { testFraction: "1" }],
    ["--dropout", { dropout: "1" }],
    ["--learning-rate", { learningRate: "0" }],
    ["--clip-norm", { clipNorm: "0" }],
    ["--strategy", { strategy: "best" }],
    ["--loss", { loss: "hinge" }],
    ["--data", { data: "iris" }],
    ["--data", { data: "idx:a" }],
    ["--data", { data: "mnist:" }],
    ["--newborn-warmup", { newbornWarmup: "1.5" }],
    ["--newborn-youth", { newbornYouth: "-1" }],
    ["--newborn-rate", { newbornRate: "0.5" }],
    ["--newborn-rate", { newbornYouth: "5", newbornRate: "-1" }],
    ["--early-stopping", { earlyStopping: "0" }],
  ])("refuse %s in %o", (thing, raw) => {
    expect(() => read(raw)).toThrow(expect.objectContaining({ code: "USAGE", thing }));
  });
});
