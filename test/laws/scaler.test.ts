import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Session } from "../../src/engine/session.ts";
import { encodeModel } from "../../src/formats/onnx/index.ts";
import type { Attribute } from "../../src/graph/model.ts";
import { makeModel } from "../../src/graph/model.ts";
import { findWidths } from "../../src/growth/find/widths.ts";
import { compile } from "../../src/models/compile.ts";
import { newGraph } from "../../src/ops/index.ts";
import { float32, int32, type Tensor } from "../../src/tensor/tensor.ts";
import { type Cases, tensor } from "./case-arbitraries.ts";
import { checkFlow } from "./flow-harness.ts";
import { checkGradient, type GradientCase, randomTensor } from "./gradient-harness.ts";
import { checkRounding } from "./rounding-harness.ts";
import { lawRuns } from "./seed.ts";

const floats = (value: readonly number[]): Attribute => ({ kind: "floats", value: value.map(Math.fround) });

/** (x − offset) · scale in float64, written from ONNX's text. */
function exactly(
  [x]: readonly (Tensor | undefined)[],
  offset: readonly number[],
  scale: readonly number[],
): Tensor {
  const { dims, data } = x as Tensor<"float64">;
  const at = (values: readonly number[], index: number) =>
    Math.fround(values[index % values.length] as number);
  return {
    dtype: "float64",
    dims,
    data: Float64Array.from(data, (value, i) => (value - at(offset, i)) * at(scale, i)),
  };
}

const cases: Cases = fc
  .record({
    batch: fc.option(fc.integer({ min: 1, max: 4 })),
    features: fc.integer({ min: 1, max: 5 }),
    single: fc.boolean(),
    seed: fc.nat(1e6),
  })
  .chain(({ batch, features, single, seed }) => {
    const count = single ? 1 : features;
    const [offset, scale] = [seed, seed + 1].map((from) => Array.from(randomTensor(from, [count]).data)) as [
      number[],
      number[],
    ];
    return tensor(batch === null ? [features] : [batch, features]).map(
      (x): GradientCase => ({
        op: "Scaler",
        domain: "ai.onnx.ml",
        inputs: [x],
        attributes: { offset: floats(offset), scale: floats(scale) },
        differentiable: [0],
        // It computes in float32 for any input type.
        float32Only: true,
        numeric: [0],
        exact: (inputs) => exactly(inputs, offset, scale),
      }),
    );
  });

describe("ai.onnx.ml's Scaler", () => {
  test("its gradient is that of central differences", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (one) => void (await checkGradient(one))),
      lawRuns("Scaler gradients", 60),
    );
  });

  test("its rounding bound holds against float64", async () => {
    const sizes = fc.constantFrom(0, 1e-6, 1e-3, 0.1);
    await fc.assert(
      fc.asyncProperty(cases, sizes, async (one, size) => void (await checkRounding(one, size))),
      lawRuns("Scaler rounding", 100),
    );
  });

  test("axes that it carries grow, features with separate numbers do not", async () => {
    const outcomes = new Set<string>();
    const choices = fc.record({
      axis: fc.nat(20),
      layout: fc.nat(20),
      by: fc.integer({ min: 1, max: 3 }),
      contents: fc.constantFrom("zero", "mean", "copy", "any").map((kind) => [kind] as const),
      seed: fc.nat(1e6),
    });
    const grow = fc.asyncProperty(
      cases,
      choices,
      async (one, choice) => void outcomes.add(await checkFlow(one, choice)),
    );
    await fc.assert(grow, lawRuns("Scaler flow", 100));
    expect([...outcomes].sort()).toEqual(
      ['Scaler "checked": the Scaler has one number for each feature', "grown"].sort(),
    );
  });

  test.each([
    ["float32", float32([2, 3], [1, 2, 3, -4, 5, 6.5])],
    ["int32", int32([2, 3], [1, 2, 3, -4, 5, 6])],
  ] as const)("written in standard operators it gives the same bits, %s", async (_, x) => {
    const attributes = { offset: floats([0.1, -2, 3]), scale: floats([1.5, 0.3, -2]) };
    const build = () => {
      const graph = newGraph();
      graph.input("x", { dtype: x.dtype, shape: x.dims });
      graph.add({
        name: "scaler",
        op: "Scaler",
        domain: "ai.onnx.ml",
        inputs: ["x"],
        outputs: ["y"],
        attributes,
      });
      return graph;
    };
    const whole = build();
    whole.output("y");
    const model = makeModel(whole.build("scaler"));
    const own = await Session.create(
      encodeModel({ ...model, opsets: new Map([...model.opsets, ["ai.onnx.ml", 3]]) }),
    );
    const lowered = await compile(build(), ["y"], {});
    try {
      const expected = await own.run({ x }, { y: null });
      expect((await lowered.run({ x }, { y: null })).y).toEqual(expected.y);
    } finally {
      await Promise.all([own.release(), lowered.release()]);
    }
  });

  test("widths after it are found", () => {
    const graph = newGraph();
    graph.input("x", { dtype: "float32", shape: ["batch", 3] });
    const attributes = { offset: floats([0.1, -2, 3]), scale: floats([1.5, 0.3, -2]) };
    graph.add({
      name: "scaler",
      op: "Scaler",
      domain: "ai.onnx.ml",
      inputs: ["x"],
      outputs: ["y"],
      attributes,
    });
    const hidden = graph.emit("MatMul", ["y", graph.parameter("hidden.weight", randomTensor(1, [3, 4]))]);
    graph.output(graph.emit("MatMul", [hidden, graph.parameter("out.weight", randomTensor(2, [4, 2]))]));
    const widths = findWidths(makeModel(graph.build("scaled")));
    expect(widths.map(({ id, growable }) => [id, growable])).toEqual([
      ["hidden", true],
      ["out", false],
    ]);
  });

  test.each([
    ["none", {}, /offset is required/],
    [
      "one offset, three scales",
      { offset: floats([1]), scale: floats([1, 2, 3]) },
      /one of each per feature/,
    ],
    ["two of each", { offset: floats([1, 2]), scale: floats([1, 2]) }, /one of each per feature/],
  ] as const)("numbers that do not fit are refused: %s", (_, attributes, message) => {
    const graph = newGraph();
    graph.input("x", { dtype: "float32", shape: ["batch", 3] });
    const node = {
      name: "scaler",
      op: "Scaler",
      domain: "ai.onnx.ml",
      inputs: ["x"],
      outputs: ["y"],
      attributes,
    };
    expect(() => graph.add(node)).toThrow(message);
  });
});
