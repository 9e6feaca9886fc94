import { describe, expect, test } from "vitest";
import { failure, fileOf, mlp, writeFloatValue, writeNode } from "../../../test/fixtures/onnx-bytes.ts";
import type { Model } from "../../graph/model.ts";
import { float32, type Tensor } from "../../tensor/tensor.ts";
import { decodeModel, encodeModel, encodeModelChunks, splitModel } from "./index.ts";

// Each of these would take minutes, gigabytes or the whole stack if some step were not linear.

const many = 50_000;

describe("files of many things are read in one go:", () => {
  test("a chain of nodes in reverse order and without names", () => {
    const bytes = fileOf((writer) => {
      for (let index = many; index > 0; index--) writeNode(writer, "Neg", [`v${index - 1}`], [`v${index}`]);
      writeFloatValue(writer, 11, "v0", [1]);
      writeFloatValue(writer, 12, `v${many}`, [1]);
    });
    const { nodes } = decodeModel(bytes).graph;
    expect(nodes).toHaveLength(many);
    expect(nodes[0]?.inputs).toEqual(["v0"]);
  });

  test("a cycle through all nodes, a few of which the error names", () => {
    const bytes = fileOf((writer) => {
      for (let index = 0; index < many; index++)
        writeNode(writer, "Neg", [`v${(index + 1) % many}`], [`v${index}`]);
    });
    const { message } = failure(bytes);
    expect(message).toMatch(/must not need its own output/);
    expect(message.length).toBeLessThan(500);
  });

  test("names of sizes that all become the same", () => {
    const name = (index: number) =>
      Array.from({ length: 16 }, (_, bit) => ((index >> bit) & 1 ? "+" : "*")).join("a");
    const bytes = fileOf((writer) => {
      for (let index = 0; index < many; index++) writeFloatValue(writer, 11, `x${index}`, [name(index)]);
    });
    const sizes = decodeModel(bytes).graph.inputs.map((value) => value.shape[0]);
    expect(new Set(sizes).size).toBe(many);
  });
});

describe("a model of 2 GiB", () => {
  // The parameters share one array, so the model itself is small.
  const shared = float32([2 ** 24], new Float32Array(2 ** 24));
  const parameters = new Map<string, Tensor>(Array.from({ length: 32 }, (_, index) => [`p${index}`, shared]));
  const model: Model = {
    ...mlp(),
    graph: { ...mlp().graph, parameters, nodes: [], outputs: mlp().graph.inputs },
  };

  test("is refused as one file before a byte of it is written, with a remedy", () => {
    expect(() => encodeModel(model)).toThrow(/at most 2147483647 bytes.*externalData/);
    expect(() => encodeModelChunks(model)).toThrow(/at most 2147483647 bytes/);
  });

  test("is written into two files, piece by piece, without a copy", () => {
    const split = splitModel(model, "data");
    const pieces = [...split.data];
    expect(pieces.reduce((sum, piece) => sum + piece.length, 0)).toBe(2 ** 31);
    expect(pieces.every((piece) => piece.buffer === shared.data.buffer)).toBe(true);
    const file = Buffer.concat([...split.model]);
    const read = decodeModel(file, {
      externalData: { sizeOf: () => 2 ** 31, read: () => new Uint8Array(shared.data.buffer) },
    });
    expect([...read.graph.parameters.keys()]).toEqual([...parameters.keys()]);
  });
});
