import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { GraphBuilder } from "../../src/graph/builder.ts";
import { type Attributes, float, int, ints } from "../../src/graph/model.ts";
import { compile } from "../../src/models/compile.ts";
import { newGraph, operatorOf } from "../../src/ops/index.ts";
import { GraphCall } from "../../src/ops/rules/operator.ts";
import { sizeOf, type Tensor } from "../../src/tensor/tensor.ts";
import { differentiate } from "../../src/training/graphs/differentiate.ts";
import { normalFeatures } from "./exact-network.ts";
import { anySeed, lawRuns } from "./seed.ts";

/** A product of `x` with a weight, as plain data. */
interface Product {
  readonly op: "Gemm" | "MatMul" | "Conv";
  readonly x: readonly number[];
  readonly weight: readonly number[];
  readonly attributes: Attributes;
}

const size = (most: number) => fc.integer({ min: 1, max: most });

const gemm = fc
  .tuple(size(5), size(5), size(5), fc.boolean(), fc.boolean(), fc.constantFrom(1, 0.5, -1.7))
  .map(
    ([rows, inner, columns, transA, transB, alpha]): Product => ({
      op: "Gemm",
      x: transA ? [inner, rows] : [rows, inner],
      weight: transB ? [columns, inner] : [inner, columns],
      attributes: { transA: int(Number(transA)), transB: int(Number(transB)), alpha: float(alpha) },
    }),
  );

const matMul = fc.tuple(fc.array(size(4), { minLength: 1, maxLength: 3 }), size(5), size(5)).map(
  ([outer, inner, columns]): Product => ({
    op: "MatMul",
    x: [...outer, inner],
    weight: [inner, columns],
    attributes: {},
  }),
);

const conv = fc
  .record({
    batch: size(3),
    channels: size(3),
    filters: size(4),
    /** One or two spatial axes. */
    axes: fc.array(
      fc.record({
        kernel: size(3),
        stride: size(3),
        dilation: size(2),
        before: fc.nat(2),
        after: fc.nat(2),
        extra: fc.nat(5),
      }),
      { minLength: 1, maxLength: 2 },
    ),
  })
  .map(
    ({ batch, channels, filters, axes }): Product => ({
      op: "Conv",
      x: [batch, channels, ...axes.map(({ kernel, dilation, extra }) => dilation * (kernel - 1) + 1 + extra)],
      weight: [filters, channels, ...axes.map(({ kernel }) => kernel)],
      attributes: {
        kernel_shape: ints(axes.map(({ kernel }) => kernel)),
        strides: ints(axes.map(({ stride }) => stride)),
        dilations: ints(axes.map(({ dilation }) => dilation)),
        pads: ints([...axes.map(({ before }) => before), ...axes.map(({ after }) => after)]),
      },
    }),
  );

async function run(graph: GraphBuilder, feeds: Readonly<Record<string, Tensor>>, outputs: readonly string[]) {
  const session = await compile(graph, outputs, {});
  const results = await session.run(feeds, Object.fromEntries(outputs.map((name) => [name, null])));
  await session.release();
  return outputs.map((name) => results[name] as Tensor<"float32">);
}

function expectNear(ours: ArrayLike<number>, theirs: ArrayLike<number>): void {
  expect(ours.length).toBe(theirs.length);
  const largest = Array.from(theirs).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const off = Array.from(ours).reduce(
    (most, value, at) => Math.max(most, Math.abs(value - (theirs[at] as number))),
    0,
  );
  // Two sums of at most 27 terms in different orders.
  expect(off).toBeLessThanOrEqual(1e-5 * largest);
}

describe("the rows that a product with a weight reads", () => {
  test.each([
    ["Gemm", gemm],
    ["MatMul", matMul],
    ["Conv", conv],
  ] as const)(
    "%s: rows × weight is what ONNX Runtime computes, and gᵀ × rows the weight's gradient",
    async (op, cases) => {
      await fc.assert(
        fc.asyncProperty(cases, anySeed, async ({ x, weight, attributes }, seed) => {
          const graph = newGraph();
          const batchAxis = op === "Gemm" && attributes.transA?.value === 1 ? 1 : 0;
          // Sizes that are fed are symbolic, like batches; those of images are numbers.
          graph.input("x", {
            dtype: "float32",
            shape: x.map((dim, axis) => (axis === batchAxis ? "batch" : dim)),
          });
          graph.input("w", { dtype: "float32", shape: weight });
          const y = graph.emit(op, ["x", "w"], attributes);
          const node = graph.nodes.at(-1);
          if (node === undefined) throw new Error("no node");
          graph.input("g", graph.typeOf(y));
          const loss = graph.emit("ReduceSum", [graph.emit("Mul", [y, "g"])], { keepdims: int(0) });
          const slope = differentiate(graph, loss, ["w"]).get("w") as string;
          const { unfold } = operatorOf(node);
          if (unfold === undefined) throw new Error("no rule");
          const { rows, fanInLast, outputRows } = unfold(new GraphCall(graph, node));
          const [yRows, gRows] = [outputRows(y), outputRows("g")];
          const fanOut = weight[fanInLast ? 0 : weight.length - 1] as number;
          const flat = graph.emit("Reshape", ["w", graph.vector(fanInLast ? [fanOut, -1] : [-1, fanOut])]);
          const product = graph.emit("Gemm", [rows, flat], { transB: int(Number(fanInLast)) });
          const correlation = graph.emit("Gemm", fanInLast ? [gRows, rows] : [rows, gRows], {
            transA: int(1),
          });
          const values = { x: normalFeatures(x, seed), w: normalFeatures(weight, seed + 1) };
          const fed = graph
            .typeOf(y)
            .shape.map((dim) => (typeof dim === "number" ? dim : (x[batchAxis] as number)));
          const feeds = { ...values, g: normalFeatures(fed, seed + 2) };
          const [ours, theirs, gradient, expected] = await run(graph, feeds, [
            product,
            yRows,
            correlation,
            slope,
          ]);
          if (ours === undefined || theirs === undefined || gradient === undefined || expected === undefined)
            throw new Error("no outputs");
          expect(theirs.dims).toEqual([sizeOf(theirs.dims) / fanOut, fanOut]);
          expect(ours.dims).toEqual(theirs.dims);
          expectNear(ours.data, theirs.data);
          // The chain rule of a product of matrices, with another rule's gradient for the oracle.
          expectNear(gradient.data, expected.data);
        }),
        lawRuns(`unfolding ${op}`, 120),
      );
    },
  );

  test("a grouped convolution is not a single product", () => {
    const graph = newGraph();
    graph.input("x", { dtype: "float32", shape: ["batch", 4, 5, 5] });
    graph.input("w", { dtype: "float32", shape: [4, 2, 3, 3] });
    graph.emit("Conv", ["x", "w"], { group: int(2) });
    const node = graph.nodes.at(-1);
    if (node === undefined) throw new Error("no node");
    expect(() => operatorOf(node).unfold?.(new GraphCall(graph, node))).toThrow(/groups/);
  });
});

test("Relu, opened, has the same values, and slope 1 at zero", async () => {
  const x: Tensor<"float32"> = {
    dtype: "float32",
    dims: [7],
    data: Float32Array.of(-2, -1e-30, -0, 0, 1e-30, 3, 0),
  };
  const slopes = async (opened: boolean) => {
    const graph = newGraph();
    graph.input("x", { dtype: "float32", shape: ["n"] });
    const node = { name: "r", op: "Relu", domain: "", inputs: ["x"], outputs: ["y"], attributes: {} };
    const { open } = operatorOf(node);
    if (open === undefined) throw new Error("no rule");
    if (opened) open(new GraphCall(graph, node));
    else graph.add(node);
    const loss = graph.emit("ReduceSum", ["y"], { keepdims: int(0) });
    const slope = differentiate(graph, loss, ["x"]).get("x") as string;
    const [y, dx] = await run(graph, { x }, ["y", slope]);
    return [[...(y?.data ?? [])].map((value) => value + 0), [...(dx?.data ?? [])]];
  };
  const values = [0, 0, 0, 0, Math.fround(1e-30), 3, 0];
  expect(await slopes(false)).toEqual([values, [0, 0, 0, 0, 1, 1, 0]]);
  expect(await slopes(true)).toEqual([values, [0, 0, 1, 1, 1, 1, 1]]);
});
