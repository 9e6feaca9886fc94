import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { characters } from "../../src/data/characters.ts";
import { loadCsv, parseCsv } from "../../src/data/csv.ts";
import { digits } from "../../src/data/digits.ts";
import { spirals } from "../../src/data/generated/spirals.ts";
import { studentTeacher } from "../../src/data/generated/student-teacher.ts";
import { twoMoons } from "../../src/data/generated/two-moons.ts";
import { xor } from "../../src/data/generated/xor.ts";
import { loadIdx } from "../../src/data/idx.ts";
import { mnist } from "../../src/data/mnist.ts";
import { grow } from "../../src/growth/grow/grow-model.ts";
import { shrink } from "../../src/growth/shrink/shrink-model.ts";
import { saveModel } from "../../src/models/model-file.ts";
import { batchNorm } from "../../src/nn/batch-norm.ts";
import { cnn } from "../../src/nn/cnn.ts";
import { conv2d } from "../../src/nn/conv2d.ts";
import { linear } from "../../src/nn/linear.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { averagePool, maxPool } from "../../src/nn/pooling.ts";
import { sequential } from "../../src/nn/sequential.ts";
import { EspalierError } from "../../src/tensor/errors.ts";
import { advise } from "../../src/training/measure/advise.ts";
import { growOnData } from "../../src/training/measure/grow-on-data.ts";
import { adam, adamw } from "../../src/training/optimizers/adam.ts";
import { sgd } from "../../src/training/optimizers/sgd.ts";
import { diagnose } from "../../src/training/trainer/diagnose-model.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";
import { verifyModels } from "../../src/training/verification/verify.ts";

const data = twoMoons({ count: 40 });
const model = mlp([2, 3, 2]);
const bytes = new TextEncoder().encode("1,2\n3,4\n");
let trainer: Trainer;

beforeAll(async () => {
  trainer = await Trainer.create(model, { batchSize: 16 });
});

afterAll(() => trainer.dispose());

/** JavaScript callers may pass anything. */
// biome-ignore lint/suspicious/noExplicitAny: what callers without types pass is the point.
type Anything = any;

/** Every public call with options: the call, an unknown name, and the name that was meant. */
const calls: readonly (readonly [string, (options: Anything) => unknown, string, string])[] = [
  ["Trainer.create", (options) => Trainer.create(model, options), "batchsize", "batchSize"],
  ["Trainer.create", (options) => Trainer.create(model, options), "class_weights", "classWeights"],
  ["Trainer.resume", (options) => Trainer.resume(bytes, options), "learningrate", "learningRate"],
  ["trainer.fit", (options) => trainer.fit(data, options), "validaton", "validation"],
  ["trainer.fit", (options) => trainer.fit(data, options), "onstep", "onStep"],
  ["trainer.run", (options) => trainer.run(data, options), "epoch", "epochs"],
  ["trainer.widen", (options) => trainer.widen("hidden1", options), "strategi", "strategy"],
  ["trainer.score", (options) => trainer.score(data, options), "width", "widths"],
  ["trainer.diagnose", (options) => trainer.diagnose(data, options), "treshold", "threshold"],
  ["diagnose", (options) => diagnose(model, data, options), "treshold", "threshold"],
  ["advise", (options) => advise(model, data, options), "example", "examples"],
  ["growOnData", (options) => growOnData(model, [], data, options), "batch_size", "batchSize"],
  ["verify", (options) => verifyModels(model, model, options), "sede", "seed"],
  ["grow", (options) => grow(model, [], options), "strategey", "strategy"],
  ["shrink", (options) => shrink(model, [], options), "evidense", "evidence"],
  ["saveModel", (options) => saveModel(model, "nowhere/at/all.onnx", options), "external", "externalData"],
  ["mlp", (options) => mlp([2, 3, 2], options), "batchnorm", "batchNorm"],
  ["cnn", (options) => cnn(options), "filter", "filters"],
  ["sequential", (options) => sequential([2], [linear(2)], options), "sead", "seed"],
  ["linear", (options) => linear(2, options), "bais", "bias"],
  ["conv2d", (options) => conv2d(2, options), "pad", "padding"],
  ["batchNorm", (options) => batchNorm(options), "eps", "epsilon"],
  ["maxPool", (options) => maxPool(2, options), "strides", "stride"],
  ["averagePool", (options) => averagePool(2, options), "strides", "stride"],
  ["twoMoons", (options) => twoMoons(options), "counts", "count"],
  ["xor", (options) => xor(options), "nois", "noise"],
  ["spirals", (options) => spirals(options), "arm", "arms"],
  ["studentTeacher", (options) => studentTeacher(options), "sampleseed", "sampleSeed"],
  ["digits", (options) => digits(options), "test_fraction", "testFraction"],
  ["mnist", (options) => mnist("nowhere", options), "flatt", "flat"],
  ["loadIdx", (options) => loadIdx(bytes, bytes, options), "class", "classes"],
  ["characters", (options) => characters(bytes, options), "contxt", "context"],
  ["loadCsv", (options) => loadCsv(bytes, options), "labels", "label"],
  ["parseCsv", (options) => parseCsv("1,2\n3,4\n", options), "delimeter", "delimiter"],
  ["adam", (options) => adam(options), "learningrate", "learningRate"],
  ["adamw", (options) => adamw(options), "weightdecay", "weightDecay"],
  ["sgd", (options) => sgd(options), "momentun", "momentum"],
];

async function refusal(work: () => unknown): Promise<EspalierError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof EspalierError) return error;
    throw new Error(`expected a typed error, got ${String(error)}`, { cause: error });
  }
  throw new Error("expected an error, got none");
}

describe("options that do not exist", () => {
  test.each(calls)("%s: a misspelled one is refused with what was meant", async (_, call, wrong, meant) => {
    const error = await refusal(() => call({ [wrong]: 1 }));
    expect(error.code).toBe("ARGUMENT");
    expect(error.received).toBe(wrong);
    expect(error.remedy).toContain(`Did you mean ${meant}?`);
  });

  test.each(calls)("%s: something other than an object is refused", async (_, call) => {
    for (const odd of [null, 7, "fast", [1]]) expect((await refusal(() => call(odd))).code).toBe("ARGUMENT");
  });

  test("a growth policy without rules, and a growth without its size", async () => {
    for (const growth of [{}, null, 3, { when: {} }, { events: [{}] }]) {
      const error = await refusal(() => trainer.fit(data, { steps: 1, growth: growth as Anything }));
      expect(error.code).toBe("ARGUMENT");
      expect(error.message).toContain("growth policy");
    }
    const unsized: (width: string, options?: Anything) => Promise<unknown> = (width, options) =>
      trainer.widen(width, options);
    expect((await refusal(() => unsized("hidden1"))).message).toContain("widen");
    expect((await refusal(() => unsized("hidden1", {}))).message).toContain("by");
    const early = { steps: 1, validation: data, earlyStopping: { patince: 3 } as Anything };
    expect((await refusal(() => trainer.fit(data, early))).remedy).toContain("patience");
    expect(trainer.step).toBe(0);
    expect(trainer.growths).toEqual([]);
  });
});
