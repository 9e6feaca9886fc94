import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { dataset } from "../../src/data/dataset.ts";
import { findWidths } from "../../src/growth/find/widths.ts";
import { grow } from "../../src/growth/grow/grow-model.ts";
import { loadModel } from "../../src/models/model-file.ts";
import { Random } from "../../src/tensor/random.ts";
import { makeTensor, sizeOf } from "../../src/tensor/tensor.ts";
import { sgd } from "../../src/training/optimizers/sgd.ts";
import { parametersOf } from "../../src/training/settings/parameter-summary.ts";
import { frozenOf, trainableOf } from "../../src/training/settings/trainable.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";

const read = (name: string) => loadModel(join(import.meta.dirname, "../cases", `${name}.onnx`));

/** Parameters of PyTorch's module, by its `named_parameters()`, and what must be frozen in the file. */
const files: readonly [file: string, entries: number, frozen: readonly string[]][] = [
  ["siamese", 4 * 8 + 8 + 8 + 1, []],
  ["shared_block", 163, []],
  ["s_rnn.dyn", 6 * 5 + 5 * 5 + 5 + 5 + 15 + 3, []],
  ["x_tied.dyn", 8 * 5 + 15 + 3, []],
  ["x_buf.ts", 40 + 8 + 24 + 3, ["mean", "std"]],
  ["x_posenc.ts", 36 + 6 + 18 + 3, ["pe"]],
  ["s_ln_noaff.ts", 18 + 3, ["/m/Constant_output_0", "/m/Constant_1_output_0"]],
  ["c_in_plain.ts", 108 + 6 + 18 + 3, ["/2/Constant_output_0", "/2/Constant_1_output_0"]],
  ["c_gn.ts", 108 + 6 + 6 + 6 + 18 + 3, ["/2/Constant_1_output_0", "/2/Constant_2_output_0"]],
  // Its exporter stores scale and running variance as one tensor, and shift and mean, because they are equal
  // when fresh.
  ["c_bn.dynamo", 108 + 6 + 6 + 6 + 384 * 3 + 3, []],
  ["x_zero_biases.dynamo", 40 + 8 + 64 + 8 + 24 + 3, []],
  ["x_two_norms.dynamo", 40 + 8 + 64 + 8 + 4 * 8 + 24 + 3, []],
  ["x_two_norms.script", 40 + 8 + 64 + 8 + 4 * 8 + 24 + 3, []],
  ["v_gn.dynamo", 40 + 8 + 8 + 8 + 24 + 3, ["val_8", "val_11"]],
  ["x_scalar.script", 40 + 8 + 1 + 24 + 3, []],
  ["x_posenc_sliced.dynamo", 48 + 8 + 24 + 3, ["slice_1"]],
  ["x_literal.dynamo", 40 + 8 + 24 + 3, ["clone"]],
];

describe("training a file trains the same parameters as PyTorch", () => {
  it.each(files)("%s: %i numbers", async (file, entries, constants) => {
    const model = await read(file);
    const { trained, frozen, folded } = parametersOf(model, frozenOf(model, {}));
    expect(trained.reduce((sum, one) => sum + one.entries, 0)).toBe(entries);
    expect(frozen.map(({ name }) => name).sort()).toEqual([...constants].sort());
    expect(folded).toEqual([]);
    const all = parametersOf(model, frozenOf(model, { trainConstants: true }));
    expect(all.trained.length).toBe(trained.length + constants.length);
    expect(all.trained.map(({ name }) => name).sort()).toEqual([...trainableOf(model)].sort());
  });

  it("trains only a named constant on request, and refuses a name that is not one", async () => {
    const model = await read("x_buf.ts");
    expect(frozenOf(model, { trainConstants: ["mean"] })).toEqual(["std"]);
    expect(() => frozenOf(model, { trainConstants: ["l.*"] })).toThrow(/must name parameters/);
  });

  it("refuses weights computed from those that PyTorch trains, except with trainConstants", async () => {
    const model = await read("v_weight_norm.dynamo");
    expect(() => frozenOf(model, {})).toThrow(/exporter computed others from them/);
    const { trained, folded } = parametersOf(model, frozenOf(model, { trainConstants: true }));
    expect(trained.map(({ name }) => name)).toContain("mul_2");
    expect(folded).toEqual(["1.parametrizations.weight.original0", "1.parametrizations.weight.original1"]);
  });

  it("recognizes constants again in the file that a run writes", async () => {
    for (const file of ["s_ln_noaff.ts", "x_buf.ts", "v_gn.dynamo"]) {
      const trainer = await Trainer.create(await read(file), { loss: "meanSquaredError" });
      const again = await loadModel(trainer.toBytes());
      expect(frozenOf(again, {})).toEqual(trainer.settings.frozen);
      expect(trainer.settings.frozen.length).toBe(2);
      await trainer.dispose();
    }
  });
});

describe("what is tied stays tied", () => {
  const pair = (examples: number) => {
    const random = new Random(5, "pairs");
    const draw = () => Float32Array.from({ length: examples * 4 }, () => random.normal());
    const [a, b] = [draw(), draw()];
    const targets = Float32Array.from({ length: examples }, (_, at) =>
      Number((a[4 * at] ?? 0) > (b[4 * at] ?? 0)),
    );
    const columns = { a: { data: a, dims: [4] }, b: { data: b, dims: [4] } };
    return { data: dataset({ inputs: columns, targets, targetDims: [1] }), a, b };
  };

  it("keeps a siamese network symmetrical through training and growth, and freezes both sides at once", async () => {
    const model = await read("siamese");
    const { data, a, b } = pair(64);
    const trainer = await Trainer.create(model, {
      loss: "binaryCrossEntropy",
      optimizer: sgd({ learningRate: 0.3 }),
      batchSize: 64,
    });
    const x = makeTensor("float32", [64, 4], a);
    const y = makeTensor("float32", [64, 4], b);
    const gap = async () => {
      const [one, other] = [await trainer.predict({ a: x, b: y }), await trainer.predict({ a: y, b: x })];
      return Math.max(
        ...Array.from(one.data as Float32Array, (value, at) => Math.abs(value - Number(other.data[at]))),
      );
    };
    await trainer.fit(data, { steps: 50 });
    expect(await gap()).toBe(0);
    const width = trainer.widths.find(({ growable }) => growable)?.id ?? "";
    const { units } = { units: await trainer.widen(width, { by: 3 }) };
    expect(units.output.preserved).toBe(true);
    expect(trainer.model.graph.parameters.get("enc.bias")?.dims).toEqual([11]);
    await trainer.fit(data, { steps: 50 });
    expect(await gap()).toBe(0);
    const held = await Trainer.create(model, { loss: "binaryCrossEntropy", frozen: ["enc.*"] });
    await held.fit(data, { steps: 5 });
    for (const [name, tensor] of held.model.graph.parameters) {
      if (!name.startsWith("head")) expect(tensor, name).toEqual(model.graph.parameters.get(name));
    }
    await trainer.dispose();
    await held.dispose();
  });

  it.each([
    ["x_tied.dyn", "w", 2],
    ["shared_block", "n.weight", 3],
    ["s_rnn.dyn", "m.bias_hh_l0", 7],
  ])("%s: %s is one parameter for %i readers", async (file, name, readers) => {
    const model = await read(file);
    const { tied } = parametersOf(model, []);
    expect(tied).toContainEqual({ name, readers });
    const [input] = model.graph.inputs;
    const dims = input?.shape.slice(1) as number[];
    const outputs = model.graph.outputs[0]?.shape.at(-1) as number;
    const random = new Random(1, file);
    const features = Float32Array.from({ length: 16 * sizeOf(dims) }, () => random.normal());
    const targets = Float32Array.from({ length: 16 * outputs }, () => random.normal());
    const data = dataset({ features, featureDims: dims, targets, targetDims: [outputs], count: 16 });
    const trainer = await Trainer.create(model, { loss: "meanSquaredError" });
    await trainer.fit(data, { steps: 5 });
    for (const width of trainer.widths.filter(({ growable }) => growable)) {
      expect((await trainer.widen(width.id, { by: width.size })).output.preserved).toBe(true);
    }
    await trainer.fit(data, { steps: 5 });
    await trainer.dispose();
  });
});

describe("weights of types other than float32", () => {
  it.each([
    ["mlp_fp16", "float16"],
    ["mlp_fp16_castio", "float16"],
    ["mlp_double", "float64"],
  ])("%s: training refuses %s weights by name", async (file, dtype) => {
    const model = await read(file);
    await expect(Trainer.create(model)).rejects.toThrow(
      expect.objectContaining({ code: "UNSUPPORTED_TYPE" }),
    );
    expect(() => frozenOf(model, {})).toThrow(new RegExp(`weights w1, b1, w2, b2.*${dtype}`));
  });

  it("copies of float64 weights are the same float64 numbers", async () => {
    const model = await read("mlp_double");
    const id = findWidths(model).find(({ growable }) => growable)?.id ?? "";
    const grown = grow(model, [{ width: id, times: 2 }], { strategy: "net2wider" }).model.graph.parameters;
    const old = model.graph.parameters.get("b1")?.data as Float64Array;
    const now = grown.get("b1")?.data as Float64Array;
    expect(now.length).toBe(16);
    for (const value of now) expect(old).toContain(value);
    expect([...old].some((value) => value !== Math.fround(value))).toBe(true);
  });
});
