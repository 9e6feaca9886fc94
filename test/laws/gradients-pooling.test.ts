import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Session } from "../../src/engine/session.ts";
import { encodeModel } from "../../src/formats/onnx/index.ts";
import { type Attributes, int, ints, makeModel } from "../../src/graph/model.ts";
import { newGraph, operatorOf } from "../../src/ops/index.ts";
import { Call, type GradientCall } from "../../src/ops/rules/operator.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { checkGradient, randomTensor } from "./gradient-harness.ts";

const small = (low: number, high: number) => fc.integer({ min: low, max: high });

const pools = fc.constantFrom(1, 2, 2, 2, 3).chain((rank) =>
  fc.record({
    dims: fc.tuple(small(1, 2), small(1, 3)),
    axes: fc.array(
      fc
        .record({
          kernel: small(1, 3),
          stride: small(1, 3),
          dilation: small(1, 2),
          begin: small(0, 1),
          end: small(0, 1),
          room: small(0, rank === 3 ? 2 : 4),
          tile: fc.boolean(),
        })
        .map((axis) => (axis.tile ? { ...axis, stride: axis.kernel, dilation: 1, begin: 0, end: 0 } : axis)),
      { minLength: rank, maxLength: rank },
    ),
    ceil: fc.boolean(),
    padded: fc.boolean(),
    seed: fc.nat(1e6),
  }),
);

type Pool = typeof pools extends fc.Arbitrary<infer T> ? T : never;

function attributesOf({ axes, ceil }: Pool): Attributes {
  const pad = (name: "begin" | "end") => axes.map(({ kernel, ...axis }) => Math.min(axis[name], kernel - 1));
  return {
    kernel_shape: ints(axes.map(({ kernel }) => kernel)),
    strides: ints(axes.map(({ stride }) => stride)),
    dilations: ints(axes.map(({ dilation }) => dilation)),
    pads: ints([...pad("begin"), ...pad("end")]),
    ceil_mode: int(Number(ceil)),
  };
}

const dimsOf = ({ dims, axes }: Pool) => [
  ...dims,
  ...axes.map(({ kernel, dilation, room }) => (kernel - 1) * dilation + 1 + room),
];

describe("gradients of pools agree with central differences", () => {
  it("MaxPool over random shapes and attributes", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(pools, async (test) => {
        await checkGradient({
          op: "MaxPool",
          inputs: [randomTensor(test.seed, dimsOf(test), 16)],
          attributes: attributesOf(test),
          differentiable: [0],
          spatial: true,
        });
      }),
      { numRuns: 60 },
    );
  });

  it("AveragePool over random shapes and attributes", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(pools, async (test) => {
        await checkGradient({
          op: "AveragePool",
          inputs: [randomTensor(test.seed, dimsOf(test))],
          attributes: { ...attributesOf(test), count_include_pad: int(Number(test.padded)) },
          differentiable: [0],
          spatial: true,
        });
      }),
      { numRuns: 60 },
    );
  });

  it("GlobalAveragePool and GlobalMaxPool", async () => {
    for (const dims of [
      [2, 3, 5],
      [2, 3, 4, 5],
      [1, 2, 3, 2, 2],
    ]) {
      await checkGradient({ op: "GlobalAveragePool", inputs: [randomTensor(1, dims)], differentiable: [0] });
      await checkGradient({
        op: "GlobalMaxPool",
        inputs: [randomTensor(1, dims, 16)],
        differentiable: [0],
        spatial: true,
      });
    }
  });

  it("gives the gradient of equal elements to the first", async () => {
    // Two windows, tiled and then overlapping; all elements equal.
    expect(await poolGradient([1, 1, 2, 4], [2, 2], [2, 2])).toEqual([1, 0, 1, 0, 0, 0, 0, 0]);
    expect(await poolGradient([1, 1, 2, 3], [2, 2], [1, 1])).toEqual([1, 1, 0, 0, 0, 0]);
    // A size that the windows do not cover.
    expect(await poolGradient([1, 1, 3, 3], [2, 2], [2, 2])).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0]);
  });
});

/** dL/dX of MaxPool for X = 0 and an upstream gradient of ones. */
async function poolGradient(dims: number[], kernel: number[], strides: number[]): Promise<number[]> {
  const graph = newGraph();
  graph.input("x", { dtype: "float32", shape: dims });
  const node = {
    name: "pool",
    op: "MaxPool",
    domain: "",
    inputs: ["x"],
    outputs: ["y"],
    attributes: { kernel_shape: ints(kernel), strides: ints(strides) },
  };
  graph.add(node);
  const upstream = graph.emit("Exp", ["y"]);
  const call: GradientCall = Object.assign(
    new Call(
      node,
      (name) => graph.typeOf(name),
      (name) => graph.parameters.get(name),
    ),
    { graph, upstream, outputGradients: [upstream], wants: () => true },
  );
  const rule = operatorOf(node).gradient;
  const [gradient] = rule === "none" ? [] : rule(call);
  graph.output(gradient as string);
  const session = await Session.create(encodeModel(makeModel(graph.build("ties"))));
  const size = dims.reduce((product, dim) => product * dim, 1);
  const results = await session.run(
    { x: float32(dims, new Float32Array(size)) },
    { [gradient as string]: null },
  );
  return Array.from(results[gradient as string]?.data as Float32Array);
}
