import { describe, expect, it } from "vitest";
import { dataset } from "../../src/data/dataset.ts";
import { type Attributes, float, int, type Model, makeModel, text } from "../../src/graph/model.ts";
import { findWidths } from "../../src/growth/find/widths.ts";
import { grow } from "../../src/growth/grow/grow-model.ts";
import { newGraph } from "../../src/ops/index.ts";
import { Random } from "../../src/tensor/random.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { adam } from "../../src/training/optimizers/adam.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";
import { verifyModels } from "../../src/training/verification/verify.ts";

const size = 4;

/** [batch, 4] to 12 units, through `op` with parameters of `scales` entries each, to two classes. */
function modelOf(op: string, opset: number, attributes: Attributes, scales: readonly number[]): Model {
  const graph = newGraph();
  const random = new Random(3, "newer operator sets");
  const drawn = (name: string, dims: readonly number[]) =>
    graph.parameter(
      name,
      float32(
        dims,
        Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => random.normal()),
      ),
    );
  const x = graph.input("x", { dtype: "float32", shape: ["batch", size] });
  const hidden = graph.emit("Gemm", [x, drawn("hidden.weight", [size, 12]), drawn("hidden.bias", [12])]);
  const bent = graph.emit("Tanh", [hidden]);
  // Axes that these need after the channels.
  const after = { GroupNormalization: [2], LRN: [2, 3] }[op];
  const wide = after === undefined ? bent : graph.emit("Unsqueeze", [bent, graph.vector(after)]);
  const affine = scales.map((entries, index) => drawn(`norm.${index}`, [entries]));
  const normal = graph.emit(op, [wide, ...affine], attributes);
  const flat = after === undefined ? normal : graph.emit("Squeeze", [normal, graph.vector(after)]);
  graph.output(
    graph.emit("Einsum", [flat, drawn("head.weight", [12, 2])], { equation: text("bi,io->bo") }, "y"),
  );
  return { ...makeModel(graph.build(op)), opsets: new Map([["", opset]]) };
}

const cases: readonly [string, Model, string][] = [
  [
    "GroupNormalization by group (18)",
    modelOf("GroupNormalization", 18, { num_groups: int(3), epsilon: float(0.01) }, [3, 3]),
    "group",
  ],
  [
    "GroupNormalization by channel (21)",
    modelOf("GroupNormalization", 21, { num_groups: int(3), epsilon: float(0.01) }, [12, 12]),
    "group",
  ],
  [
    "LRN, which takes new channels of zeros",
    modelOf("LRN", 13, { size: int(3), alpha: float(0.5) }, []),
    "neuron",
  ],
  ["RMSNormalization (23)", modelOf("RMSNormalization", 23, { epsilon: float(0.01) }, [12]), "neuron"],
  ["Swish (24)", modelOf("Swish", 24, { alpha: float(1.5) }, []), "neuron"],
];

describe("operators of newer operator sets or other vendors, in programs written in opset 20", () => {
  it.each(cases)("%s grows exactly, with a bound", async (_, model, unit) => {
    const [width] = findWidths(model);
    expect([width?.growable, width?.unit]).toEqual([true, unit]);
    const grown = grow(model, [{ width: width?.id as string, by: 2 }]).model;
    const { preserved, relative, withoutBound } = await verifyModels(model, grown);
    expect([preserved, withoutBound]).toEqual([true, ""]);
    expect(relative).toBeLessThan(1e-5);
  });

  it.each(cases)("%s trains", async (_, model) => {
    const random = new Random(1, "points");
    const count = 32;
    const features = Float32Array.from({ length: count * size }, () => random.normal());
    const labels = Int32Array.from({ length: count }, (_, row) => Number((features[row * size] ?? 0) > 0));
    const data = dataset({ features, labels, count });
    const trainer = await Trainer.create(model, {
      optimizer: adam({ learningRate: 0.05 }),
      batchSize: count,
    });
    const before = (await trainer.evaluate(data)).loss;
    for (let step = 0; step < 40; step++) await trainer.trainStep(data);
    expect((await trainer.evaluate(data)).loss).toBeLessThan(before / 2);
    await trainer.dispose();
  });
});
