import { describe, expect, it, test } from "vitest";
import { reshapingModel, strangeModel } from "../../../test/fixtures/reshaping-model.ts";
import { isInvented, layerOfParameter, moduleOf } from "../../graph/layer-names.ts";
import type { Node } from "../../graph/model.ts";
import { cnn } from "../../nn/cnn.ts";
import { summarize } from "./summary.ts";

describe("summarize", () => {
  it("counts what a person would count", () => {
    const summary = summarize(reshapingModel());
    // 6·8 + 8 + 8·3
    expect(summary.parameters).toBe(80);
    expect(summary.layers).toEqual([
      {
        name: "inner",
        operators: ["MatMul", "Add"],
        output: ["batch", 8],
        parameters: 56,
        flops: "104*batch",
      },
      { name: "head", operators: ["MatMul"], output: ["batch", 3], parameters: 24, flops: "48*batch" },
    ]);
    expect(summary).toMatchObject({ opsets: { "ai.onnx": 20 }, withoutRules: [], nodes: 7 });
  });

  it("names what it has no rules for, and continues without it", () => {
    const summary = summarize(strangeModel());
    expect(summary.withoutRules).toEqual(["com.example.Mystery"]);
    expect(summary.layers.map(({ name, output }) => [name, output])).toEqual([
      ["inner", undefined],
      ["head", undefined],
    ]);
  });

  it("gives every parameter to one layer", () => {
    const summary = summarize(
      cnn({ input: [1, 8, 8], filters: [3], hidden: [4], classes: 2, batchNorm: true }),
    );
    expect(summary.layers.reduce((sum, { parameters }) => sum + parameters, 0)).toBe(summary.parameters);
  });
});

const node = (name: string, scopes?: string): Node => ({
  name,
  op: "MatMul",
  domain: "",
  inputs: [],
  outputs: [],
  attributes: {},
  ...(scopes === undefined ? {} : { notes: { metadata: new Map([["pkg.torch.onnx.name_scopes", scopes]]) } }),
});

test.each([
  ["fc1.weight", "fc1"],
  ["encoder.0.bias", "encoder.0"],
  ["model/conv/BiasAdd/ReadVariableOp:0", "model/conv"],
  ["weight", "weight"],
  ["w0", "w0"],
])("the layer of %s is %s", (parameter, layer) => {
  expect(layerOfParameter(parameter)).toBe(layer);
});

test("exporters say which module a node belongs to", () => {
  expect(moduleOf(node("/encoder/layers.0/fc/MatMul"))).toBe("encoder.layers.0.fc");
  expect(moduleOf(node("/down1/down1.0/Conv"))).toBe("down1.0");
  expect(moduleOf(node("node_linear_3", "['', 'encoder', 'encoder.fc', 'linear_3']"))).toBe("encoder.fc");
  expect(moduleOf(node("node_linear_3", "['', 'linear_3']"))).toBeUndefined();
  expect(moduleOf(node("node_MatMul_3"))).toBeUndefined();
  expect(["val_12", "onnx::MatMul_358", "fc.weight"].map(isInvented)).toEqual([true, true, false]);
});
