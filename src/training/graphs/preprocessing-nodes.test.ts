import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import type { Preprocessing } from "../../data/preprocessing/index.ts";
import { decodeModel, encodeModel } from "../../formats/onnx/index.ts";
import type { Model } from "../../graph/model.ts";
import { grow } from "../../growth/grow/grow-model.ts";
import { cnn } from "../../nn/cnn.ts";
import { mlp } from "../../nn/mlp.ts";
import { withoutPreprocessing, withPreprocessing } from "./preprocessing-nodes.ts";

/** The output for rows of ONNX Runtime, which knows nothing about records. */
async function run(model: Model, dims: readonly number[], values: readonly number[]): Promise<number[]> {
  const session = await ort.InferenceSession.create(encodeModel(model));
  const feeds = { [session.inputNames[0] as string]: new ort.Tensor("float32", values, dims) };
  const results = await session.run(feeds);
  const { data } = results[session.outputNames[0] as string] as ort.Tensor;
  return [...(data as Float32Array)];
}

const table: Preprocessing = {
  version: 1,
  features: {
    kind: "table",
    named: true,
    columns: [
      { kind: "number", name: "area", mean: 1500, deviation: 400, missing: 1400 },
      { kind: "category", name: "town", categories: ["Bonn", "Köln", "missing"], missing: "missing" },
      { kind: "number", name: "rooms", mean: 4, deviation: 2 },
    ],
  },
  target: { kind: "number", name: "price", mean: 200_000, deviation: 50_000 },
};

const image: Preprocessing = {
  version: 1,
  features: { kind: "image", dims: [2, 2, 2], divisor: 255, axes: "hwc" },
  target: { kind: "class", name: "label", classes: ["cat", "dog"] },
};

describe("a model with its preprocessing", () => {
  it("accepts raw rows and answers in the units of the data", async () => {
    const network = mlp([5, 4, 1], { seed: 3 });
    const model = withPreprocessing(network, table);
    const made = [
      [(1900 - 1500) / 400, 0, 1, 0, 0.5],
      [(1400 - 1500) / 400, 0, 0, 1, -1.5],
    ];
    const inner = await run(network, [2, 5], made.flat());
    const outer = await run(model, [2, 3], [1900, 1, 5, Number.NaN, Number.NaN, 1]);
    outer.forEach((value, at) => {
      expect(value).toBeCloseTo((inner[at] as number) * 50_000 + 200_000, 0);
    });
    expect(inner[0]).not.toBe(inner[1]);
  });

  it("accepts pixels as in the file", async () => {
    const network = cnn({ input: [2, 2, 2], filters: [2], hidden: [], classes: 2 });
    const model = withPreprocessing(network, image);
    expect(model.graph.inputs[0]?.shape.slice(1)).toEqual([2, 2, 2]);
    const pixels = [0, 255, 51, 102, 204, 153, 255, 0];
    const turned = [0, 2, 4, 6, 1, 3, 5, 7].map((at) => (pixels[at] as number) / 255);
    const [inner, outer] = [await run(network, [1, 2, 2, 2], turned), await run(model, [1, 2, 2, 2], pixels)];
    outer.forEach((value, at) => {
      expect(value).toBeCloseTo(inner[at] as number, 6);
    });
  });

  it("gives back the original network, through a file and through growth", async () => {
    for (const [network, record] of [
      [mlp([5, 4, 1]), table],
      [cnn({ input: [2, 2, 2], filters: [2], hidden: [3], classes: 2 }), image],
    ] as const) {
      const full = withPreprocessing(network, record);
      const back = withoutPreprocessing(decodeModel(encodeModel(full)));
      expect(back.preprocessing).toEqual(record);
      expect(back.model.graph).toEqual(decodeModel(encodeModel(network)).graph);
      const growths = [{ width: "hidden1", by: 3 }];
      const [grown, inside] = [grow(full, growths).model, grow(network, growths).model];
      expect(withoutPreprocessing(grown).model.graph.parameters).toEqual(inside.graph.parameters);
      expect(withoutPreprocessing(full).restore(inside)).toEqual(grown);
    }
  });

  it("keeps only the record if nodes are not wanted, or several inputs would need them", () => {
    const network = mlp([5, 4, 1]);
    const noted = withPreprocessing(network, table, { nodes: false });
    expect(noted.graph).toBe(network.graph);
    expect(withoutPreprocessing(noted)).toMatchObject({
      model: network,
      preprocessing: table,
      nodes: false,
    });
    expect(withoutPreprocessing(network)).toMatchObject({ model: network, nodes: false });
  });
});
