import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseCsv } from "../../src/data/csv.ts";
import { type Dataset, dataset } from "../../src/data/dataset.ts";
import { decodeModel, encodeModel } from "../../src/formats/onnx/index.ts";
import type { Graph, Model } from "../../src/graph/model.ts";
import { findWidths, widthOf } from "../../src/growth/find/widths.ts";
import { planGrowth } from "../../src/growth/plan/plan.ts";
import { random } from "../../src/growth/strategies/random.ts";
import { loadModel } from "../../src/models/model-file.ts";
import { type ActivationName, activation } from "../../src/nn/activation.ts";
import { conv2d } from "../../src/nn/conv2d.ts";
import { dropout } from "../../src/nn/dropout.ts";
import { linear } from "../../src/nn/linear.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { sequential } from "../../src/nn/sequential.ts";
import { type ErrorCode, EspalierError } from "../../src/tensor/errors.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import type { LossName } from "../../src/training/losses/index.ts";
import { adam } from "../../src/training/optimizers/adam.ts";
import { stepRate } from "../../src/training/schedules/index.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";
import { lawRuns } from "./seed.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "espalier-bad-input-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const good = dataset({
  name: "good",
  features: Float32Array.from({ length: 24 }, (_, index) => Math.sin(index)),
  featureDims: [3],
  labels: Int32Array.from({ length: 8 }, (_, index) => index % 2),
});

/** A typed error: its code, and a message that says what, which rule, what was received and what to do. */
async function refused(
  code: ErrorCode,
  work: () => unknown,
  ...says: readonly (string | RegExp)[]
): Promise<EspalierError> {
  let error: unknown;
  try {
    await work();
  } catch (reason) {
    error = reason;
  }
  if (!(error instanceof EspalierError))
    throw new Error(`expected ${code}, got ${String(error)}`, { cause: error });
  expect(error.code, error.message).toBe(code);
  expect(error.thing).not.toBe("");
  expect(error.rule).not.toBe("");
  for (const part of says) expect(error.message).toMatch(part);
  return error;
}

async function withTrainer(
  model: Model,
  body: (trainer: Trainer) => Promise<void>,
  loss: LossName = "crossEntropy",
) {
  const trainer = await Trainer.create(model, { loss, batchSize: 4 });
  await body(trainer);
  await trainer.dispose();
}

describe("models", () => {
  test("a file that is not ONNX, empty, truncated, too large, or missing", async () => {
    const path = join(folder, "model.onnx");
    for (const bytes of [
      new Uint8Array(0),
      new TextEncoder().encode("not a model"),
      new Uint8Array(100).fill(255),
    ]) {
      await writeFile(path, bytes);
      const error = await refused("FORMAT", () => loadModel(path)).catch(async (reason) => {
        // Bytes that happen to parse as an empty message are refused for missing fields.
        if (bytes.length === 0) return refused("INVALID_MODEL", () => loadModel(path));
        throw reason;
      });
      expect(error.message.length).toBeGreaterThan(20);
    }
    const whole = encodeModel(mlp([3, 4, 2]));
    for (const length of [1, 5, Math.floor(whole.length / 2), whole.length - 1]) {
      await writeFile(path, whole.subarray(0, length));
      await expect(loadModel(path), `${length} bytes`).rejects.toBeInstanceOf(EspalierError);
    }
    await refused("FILE_MISSING", () => loadModel(join(folder, "nowhere.onnx")), /does not exist/);
    await writeFile(path, whole);
    await refused("TOO_LARGE", () => decodeModel(whole, { maxBytes: 100 }), /100/);
  });

  test("no bytes cause anything but a typed error", () => {
    const whole = encodeModel(mlp([3, 4, 2]));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, value, length) => {
        const bytes = whole.slice(0, length);
        if (at < bytes.length) bytes[at] = value;
        try {
          decodeModel(bytes);
        } catch (error) {
          if (!(error instanceof EspalierError)) throw error;
        }
      }),
      lawRuns("damaged ONNX bytes", 2000),
    );
  });

  test("an unsupported operator is named, with a pointer to the docs", async () => {
    const model = mlp([3, 4, 2]);
    const nodes = model.graph.nodes.map((node) => (node.op === "Relu" ? { ...node, op: "Quux" } : node));
    const odd: Model = { ...model, graph: { ...model.graph, nodes } as Graph };
    await refused("UNSUPPORTED_OPERATOR", () => Trainer.create(odd), /Quux/, /docs\/grow-any-model/);
    const near = {
      ...odd,
      graph: { ...odd.graph, nodes: nodes.map((n) => ({ ...n, op: n.op.replace("Quux", "ReluX") })) },
    };
    await refused("UNSUPPORTED_OPERATOR", () => Trainer.create(near), /Relu, \w+, \w+\./);
    // A model that is only widened may contain it: widths that pass through it cannot grow, and say why.
    const widths = findWidths(odd);
    expect(widths.map(({ growable }) => growable)).not.toContain(true);
    expect(widths[0]?.reason).toMatch(/Quux/);
  });

  test("layers that do not fit, and options that make no sense", async () => {
    await refused("SHAPE_MISMATCH", () => sequential([1, 8, 8], [linear(3)]), /flatten/);
    await refused("SHAPE_MISMATCH", () => sequential([8], [conv2d(3)]));
    await refused("ARGUMENT", () => activation("relo" as ActivationName), /relo/, /relu/);
    await refused("ARGUMENT", () => dropout(1), /1/);
    await refused("ARGUMENT", () => dropout(Number.NaN));
    for (const sizes of [[], [3], [3, 0], [3, 2.5, 2], [3, -1, 2], [Number.NaN, 2]]) {
      await refused("ARGUMENT", () => mlp(sizes));
    }
    for (const options of [
      { batchSize: 0 },
      { batchSize: 1.5 },
      { seed: -1 },
      { threads: 0 },
      { clipNorm: 0 },
      { clipNorm: Number.NaN },
      { clipValue: -1 },
      { loss: "crossEntrpy" as LossName },
    ]) {
      await refused("ARGUMENT", () => Trainer.create(mlp([3, 2, 2]), options));
    }
    await refused(
      "ARGUMENT",
      () => Trainer.create(mlp([3, 2, 2]), { loss: { output: "nothing" } }),
      /nothing/,
    );
    await refused("ARGUMENT", () => adam({ learningRate: -1 }));
    await refused("ARGUMENT", () => adam({ learningRate: Number.NaN }));
    await refused("ARGUMENT", () => stepRate(0.1, { every: 0 }));
  });

  test("layer sizes that are not positive whole numbers", async () => {
    for (const units of [0, -1, 2.5, Number.NaN]) {
      await refused("ARGUMENT", () => sequential([3], [linear(units), linear(2)]));
      await refused("ARGUMENT", () => sequential([1, 8, 8], [conv2d(units)]));
    }
    await refused("ARGUMENT", () => sequential([1, 8, 8], [conv2d(2, { kernel: 0 })]));
    await refused("ARGUMENT", () => sequential([3, 8, 8], [conv2d(4, { groups: 2 })]));
  });
});

describe("data", () => {
  test("shapes that do not fit the model", async () => {
    await withTrainer(mlp([4, 3, 2]), async (trainer) => {
      await refused("SHAPE_MISMATCH", () => trainer.fit(good, { steps: 1 }), /good/, /\[4\]/, /\[3\]/);
      await refused("SHAPE_MISMATCH", () => trainer.evaluate(good), /good/);
      await refused("SHAPE_MISMATCH", () => trainer.diagnose(good), /good/);
      await refused("SHAPE_MISMATCH", () => trainer.predict([[1, 2, 3]]), /\[batch, 4\]|4/);
      await refused("SHAPE_MISMATCH", () => trainer.predict([[1, 2, 3, 4], [1]]));
      await refused("SHAPE_MISMATCH", () => trainer.predict(float32([1, 1, 4], [1, 2, 3, 4])));
      expect(trainer.step).toBe(0);
    });
  });

  test("targets that do not fit the loss", async () => {
    const targets = dataset({
      features: new Float32Array(12),
      featureDims: [3],
      targets: [1, 2, 3, 4],
      targetDims: [1],
    });
    await withTrainer(mlp([3, 3, 2]), (trainer) =>
      refused("SHAPE_MISMATCH", () => trainer.fit(targets, { steps: 1 }), /integer labels/).then(() => {}),
    );
    await withTrainer(
      mlp([3, 3, 2]),
      async (trainer) => {
        await refused("SHAPE_MISMATCH", () => trainer.fit(targets, { steps: 1 }), /targets/);
        // Two outputs cannot be compared with one label per example.
        await refused("SHAPE_MISMATCH", () => trainer.fit(good, { steps: 1 }), /good/);
        expect(trainer.step).toBe(0);
      },
      "meanSquaredError",
    );
  });

  test("labels out of range", async () => {
    const labels = [0, 1, 2, 1];
    const three = dataset({ name: "three", features: new Float32Array(12), labels });
    await withTrainer(mlp([3, 3, 2]), async (trainer) => {
      await refused(
        "LABEL_RANGE",
        () => trainer.fit(three, { steps: 1 }),
        /example 2/,
        /from 0 to 1/,
        /got 2/,
      );
      await refused("LABEL_RANGE", () => trainer.evaluate(three));
    });
    await refused(
      "LABEL_RANGE",
      () => dataset({ features: new Float32Array(12), labels: [0, -1, 0, 0] }),
      /-1/,
    );
    await refused(
      "LABEL_RANGE",
      () => dataset({ features: new Float32Array(12), labels: [0, 0.5, 0, 0] }),
      /0.5/,
    );
  });

  test("no data", async () => {
    await refused("EMPTY_DATA", () => dataset({ features: [], labels: [] }));
    await refused("EMPTY_DATA", () => parseCsv("", {}));
    const empty: Dataset = {
      name: "void",
      count: 0,
      features: new Float32Array(0),
      featureDims: [3],
      labels: new Int32Array(0),
      classes: 2,
    };
    await withTrainer(mlp([3, 3, 2]), async (trainer) => {
      await refused("EMPTY_DATA", () => trainer.fit(empty, { steps: 1 }), /void/);
      await refused("EMPTY_DATA", () => trainer.evaluate(empty), /void/);
      await refused("EMPTY_DATA", () => trainer.trainStep(empty), /void/);
    });
  });

  test("invalid numbers", async () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1e39]) {
      await refused(
        "ARGUMENT",
        () => dataset({ features: [1, value, 3], featureDims: [3], labels: [0] }),
        /value 1/,
      );
    }
  });

  test("a CSV row of the wrong length, with its line", async () => {
    await refused("CSV", () => parseCsv("a,b,label\n1,2,x\n3,4\n", { label: "label" }), /line 3/);
    await refused("CSV", () => parseCsv("a,b,label\n1,2,x\n\n3,4,y,5\n", { label: "label" }), /line 4/);
  });

  test("how long to train", async () => {
    await withTrainer(mlp([3, 3, 2]), async (trainer) => {
      for (const options of [
        {},
        { steps: 1, epochs: 1 },
        { steps: -1 },
        { steps: 0.5 },
        { epochs: Number.NaN },
      ]) {
        await refused("ARGUMENT", () => trainer.fit(good, options));
      }
      await refused(
        "ARGUMENT",
        () => trainer.fit(good, { steps: 1, earlyStopping: { patience: 1 } }),
        /validation/,
      );
      await refused(
        "ARGUMENT",
        () =>
          trainer.fit(good, { steps: 1, validation: good, earlyStopping: { patience: 1, monitor: "f1" } }),
        /f1/,
        /accuracy/,
      );
      await refused("ARGUMENT", () => trainer.fit(good, { steps: 1, validation: good, validateEvery: 0 }));
      await refused("ARGUMENT", () =>
        trainer.fit(good, { steps: 1, validation: good, earlyStopping: { patience: Number.NaN } }),
      );
      expect(trainer.step).toBe(0);
    });
  });
});

describe("growth", () => {
  test("a width that does not exist; the error lists the existing ones", async () => {
    await withTrainer(mlp([3, 4, 5, 2]), async (trainer) => {
      const error = await refused("UNKNOWN_WIDTH", () => trainer.widen("hidden9", { by: 1 }), /hidden9/);
      expect(error.remedy).toContain("hidden1 (4), hidden2 (5)");
      expect(error.remedy).not.toContain("output");
    });
  });

  test("`by` that is not a positive whole number, and strategies that do not exist: nothing has changed", async () => {
    await withTrainer(mlp([3, 4, 2]), async (trainer) => {
      await trainer.fit(good, { steps: 3 });
      const before = await trainer.checkpoint();
      for (const by of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, "4", null, undefined]) {
        await refused("ARGUMENT", () => trainer.widen("hidden1", { by: by as number }), /by/);
        const width = widthOf(findWidths(trainer.model), "hidden1");
        await refused("ARGUMENT", () => planGrowth(width, { by: by as number, strategy: random, seed: 0 }));
      }
      await refused("ARGUMENT", () => trainer.widen("hidden1", { by: 1, strategy: "rnd" }), /rnd/, /random/);
      await refused("ARGUMENT", () => trainer.widen("hidden1", { by: 1, strategy: "toString" }));
      expect(Buffer.from(await trainer.checkpoint()).equals(Buffer.from(before))).toBe(true);
    });
  });

  test("a width that reaches an output or an axis that cannot be preserved, with the reason", async () => {
    await withTrainer(mlp([3, 4, 2]), async (trainer) => {
      await refused("NOT_GROWABLE", () => trainer.widen("output", { by: 1 }), /reaches the output/);
    });
    // A softmax in the middle sums over the units: there is no weight there that could be zero.
    const middle = sequential(
      [3],
      [
        linear(4),
        { kind: "softmax", build: ({ graph, name }, input) => graph.emit("Softmax", [input], {}, name) },
        linear(2),
      ],
    );
    const [width] = findWidths(middle);
    expect(width?.growable).toBe(false);
    expect(width?.reason).toMatch(/Softmax/);
    await withTrainer(middle, async (trainer) => {
      await refused("NOT_GROWABLE", () => trainer.widen("hidden1", { by: 1 }), /Softmax/);
    });
  });

  test("more units than there is memory: a typed error, and training goes on", async () => {
    await withTrainer(mlp([3, 4, 2]), async (trainer) => {
      await trainer.fit(good, { steps: 3 });
      const before = await trainer.checkpoint();
      await refused("TOO_LARGE", () => trainer.widen("hidden1", { by: 2 ** 40 }));
      expect(Buffer.from(await trainer.checkpoint()).equals(Buffer.from(before))).toBe(true);
      await trainer.fit(good, { steps: 3 });
      await trainer.widen("hidden1", { by: 2 });
      expect(trainer.step).toBe(6);
    });
  });

  test("a strategy that throws half-way changes nothing", async () => {
    await withTrainer(mlp([3, 4, 2]), async (trainer) => {
      await trainer.fit(good, { steps: 3 });
      const before = await trainer.checkpoint();
      const faulty = {
        ...random,
        outgoing: () => {
          throw new Error("no luck");
        },
      };
      await expect(trainer.widen("hidden1", { by: 2, strategy: faulty })).rejects.toThrow("no luck");
      expect(Buffer.from(await trainer.checkpoint()).equals(Buffer.from(before))).toBe(true);
      await trainer.fit(good, { steps: 1 });
    });
  });
});

test("a refused save leaves what is on disk", async () => {
  const place = join(folder, "kept");
  await withTrainer(mlp([3, 4, 2]), async (trainer) => {
    await trainer.saveCheckpoint(place);
    const manifest = join(place, "manifest.json");
    await writeFile(manifest, "not ours");
    const names = await readdir(place);
    await refused("CHECKPOINT_CORRUPT", () => trainer.saveCheckpoint(place), /manifest/);
    expect(await readdir(place)).toEqual(names);
    expect(await readFile(manifest, "utf8")).toBe("not ours");
  });
});
