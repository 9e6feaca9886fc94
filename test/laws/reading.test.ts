import { describe, expect, it } from "vitest";
import { summarize } from "../../src/growth/examine/summary.ts";
import {
  dataset,
  decodeModel,
  encodeModel,
  grow,
  loadModel,
  type Model,
  sgd,
  Trainer,
  verify,
  widths,
} from "../../src/index.ts";
import { Random } from "../../src/tensor/random.ts";

const read = (name: string): Promise<Model> =>
  loadModel(new URL(`../cases/${name}.onnx`, import.meta.url).pathname);

/** File, the widths that can grow, and the operators in a form without rules. */
const cases: readonly (readonly [file: string, growable: readonly string[], without: readonly string[]])[] = [
  ["imputer_scaler", ["w1"], ["ai.onnx.ml.Imputer"]],
  ["dim_minus1", ["w1"], []],
  ["dim-minus-one", ["w1"], []],
  ["fixed-batch-one", ["w1"], []],
  ["time-major-output", ["w1"], []],
  ["valid_s2_dynamic", ["k1", "k2"], []],
  ["same_s1_dynamic", ["k1", "k2"], []],
  ["expand_dynshape", ["k1"], []],
  ["convT_outshape", ["k1", "k2"], []],
  ["resize_dyn_scales", ["k1"], []],
  ["resize_scales_concat", ["k1"], []],
  ["resize-to-input-size", ["w1"], []],
  ["resize-two-axes", ["w1"], []],
  ["einsum_ell", ["k1", "we"], []],
  ["einsum_ellipsis", ["w1", "we"], []],
  ["same_s2_dynamic", ["k1", "k2"], []],
  ["auto-pad-same-dynamic", ["w1", "w2"], []],
  ["torchscript-pad", ["w1", "w2"], []],
  ["sliced-position-table", ["emb", "w1"], []],
  ["cv_resnet_optA_pad", ["k1", "k2", "k2#2"], []],
  ["lm_tied", ["E"], []],
  ["if_before", ["w1"], []],
  ["if-branches", ["w1a", "w2a"], []],
  ["lrn-hides-the-rest", ["w2", "w3"], []],
  ["nonzero_front", [], ["NonZero"]],
];

describe("unknown or unsupported nodes hide nothing else in a file", () => {
  it.each(cases)("%s", async (file, growable, without) => {
    const model = await read(file);
    expect(summarize(model).withoutRules).toEqual(without);
    const found = widths(model).filter((width) => width.growable);
    expect(found.map(({ id }) => id)).toEqual(growable);
    for (const { id, multiple } of found) {
      const grown = grow(model, [{ width: id, by: 3 * multiple }]).model;
      // No random size fits the image.
      if (file === "resize-to-input-size") continue;
      const { preserved } = await verify(model, decodeModel(encodeModel(grown)));
      expect(preserved, id).toBe(true);
    }
  });

  it("grows a vocabulary: the rows of a table and, tied to them, the classes", async () => {
    const model = await read("lm_tied");
    const grown = grow(model, [{ border: "output", by: 5 }]).model;
    expect(grown.graph.parameters.get("E")?.dims[0]).toBe(25);
    expect(grown.graph.outputs[0]?.shape.at(-1)).toBe(25);
    expect((await verify(model, grown)).preserved).toBe(true);
  });

  it("trains after an operator without a gradient, and grows in training", async () => {
    const model = await read("imputer_scaler");
    const draws = new Random(1, "imputer");
    const features = Float32Array.from({ length: 48 * 5 }, () => draws.normal());
    const labels = Int32Array.from({ length: 48 }, (_, at) => Number((features[5 * at + 1] as number) > 0));
    const data = dataset({ features, labels, count: 48 });
    const trainer = await Trainer.create(model, {
      loss: "crossEntropy",
      optimizer: sgd({ learningRate: 0.05 }),
    });
    const before = await trainer.evaluate(data);
    await trainer.fit(data, { steps: 20 });
    const growth = await trainer.widen("w1", { by: 4 });
    await trainer.fit(data, { steps: 20 });
    const after = await trainer.evaluate(data);
    expect(growth.output.preserved).toBe(true);
    expect(after.loss).toBeLessThan(before.loss);
    await trainer.dispose();
  });
});
