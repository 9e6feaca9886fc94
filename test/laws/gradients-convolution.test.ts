import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Attributes, int, ints, text } from "../../src/graph/model.ts";
import { EspalierError } from "../../src/tensor/errors.ts";
import { checkGradient, randomTensor } from "./gradient-harness.ts";

const small = (low: number, high: number) => fc.integer({ min: low, max: high });

/** A convolution that fits: sizes are built up from the kernel, so that the window has room. */
const convolutions = fc
  .record({ rank: fc.constantFrom(1, 2, 2, 3), groups: fc.constantFrom(1, 1, 2), bias: fc.boolean() })
  .chain(({ rank, groups, bias }) =>
    fc.record({
      rank: fc.constant(rank),
      groups: fc.constant(groups),
      bias: fc.constant(bias),
      batch: small(1, 2),
      inPerGroup: small(1, 2),
      outPerGroup: small(1, 2),
      axes: fc.array(
        fc.record({
          kernel: small(1, 3),
          stride: small(1, 2),
          dilation: small(1, 2),
          begin: small(0, 1),
          end: small(0, 1),
          room: small(0, rank === 3 ? 1 : 3),
        }),
        { minLength: rank, maxLength: rank },
      ),
      auto: fc.constantFrom("NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"),
      seed: fc.nat(1e6),
    }),
  );

type Convolution = typeof convolutions extends fc.Arbitrary<infer T> ? T : never;

function windowAttributes({ axes, auto }: Pick<Convolution, "axes" | "auto">): Attributes {
  const each = (name: "kernel" | "stride" | "dilation" | "begin" | "end") => axes.map((axis) => axis[name]);
  return {
    kernel_shape: ints(each("kernel")),
    strides: ints(each("stride")),
    ...(auto === "NOTSET"
      ? { dilations: ints(each("dilation")), pads: ints([...each("begin"), ...each("end")]) }
      : { auto_pad: text(auto) }),
  };
}

const sizesOf = ({ axes }: Pick<Convolution, "axes">) =>
  axes.map(({ kernel, dilation, room }) => (kernel - 1) * dilation + 1 + room);

describe("gradients of convolutions agree with central differences", () => {
  it("Conv over random shapes and attributes", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(convolutions, async (test) => {
        const { batch, inPerGroup, outPerGroup, groups, bias, seed } = test;
        const x = randomTensor(seed, [batch, inPerGroup * groups, ...sizesOf(test)]);
        const weight = randomTensor(seed + 1, [
          outPerGroup * groups,
          inPerGroup,
          ...test.axes.map(({ kernel }) => kernel),
        ]);
        await checkGradient({
          op: "Conv",
          inputs: [x, weight, ...(bias ? [randomTensor(seed + 2, [outPerGroup * groups])] : [])],
          attributes: { ...windowAttributes(test), group: int(groups) },
          differentiable: bias ? [0, 1, 2] : [0, 1],
          spatial: true,
          ...(groups > 1 ? { numeric: [0, 1] } : {}),
        });
      }),
      { numRuns: 60 },
    );
  });

  it("Conv with every size symbolic if the stride is 1", async () => {
    for (const dilation of [1, 2]) {
      await checkGradient({
        op: "Conv",
        inputs: [randomTensor(1, [2, 3, 6, 7]), randomTensor(2, [4, 3, 3, 2])],
        attributes: {
          kernel_shape: ints([3, 2]),
          pads: ints([1, 0, 1, 1]),
          dilations: ints([dilation, dilation]),
        },
        differentiable: [0, 1],
      });
    }
  });

  it("depthwise Conv", async () => {
    await checkGradient({
      op: "Conv",
      inputs: [randomTensor(1, [2, 4, 5, 5]), randomTensor(2, [4, 1, 3, 3]), randomTensor(3, [4])],
      attributes: { group: int(4), pads: ints([1, 1, 1, 1]) },
      differentiable: [0, 1, 2],
      numeric: [0, 1],
    });
  });

  it("ConvTranspose over random shapes and attributes", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(convolutions, small(0, 1), async (test, surplus) => {
        const { batch, inPerGroup, outPerGroup, groups, bias, seed } = test;
        const padded = test.axes.map((axis) => ({
          ...axis,
          // The output must not be empty after its padding is cut off.
          begin: axis.kernel > 2 ? axis.begin : 0,
          end: axis.kernel > 2 ? axis.end : 0,
        }));
        const x = randomTensor(seed, [batch, inPerGroup * groups, ...padded.map(({ room }) => room + 1)]);
        const weight = randomTensor(seed + 1, [
          inPerGroup * groups,
          outPerGroup,
          ...padded.map(({ kernel }) => kernel),
        ]);
        await checkGradient({
          op: "ConvTranspose",
          inputs: [x, weight, ...(bias ? [randomTensor(seed + 2, [outPerGroup * groups])] : [])],
          attributes: {
            ...windowAttributes({ axes: padded, auto: "NOTSET" }),
            group: int(groups),
            output_padding: ints(padded.map(({ stride }) => Math.min(surplus, stride - 1))),
          },
          differentiable: bias ? [0, 1, 2] : [0, 1],
          spatial: true,
          ...(groups > 1 ? { numeric: [0, 1] } : {}),
        });
      }),
      { numRuns: 40 },
    );
  });

  it("names what does not fit", async () => {
    const conv = (weight: number[], attributes: Attributes = {}) =>
      checkGradient({
        op: "Conv",
        inputs: [randomTensor(1, [1, 2, 4, 4]), randomTensor(2, weight)],
        attributes,
        differentiable: [0],
      });
    await expect(conv([3, 3, 3, 3])).rejects.toThrow(EspalierError);
    await expect(conv([3, 2, 5, 5])).rejects.toThrow(/must fit into the padded input/);
    await expect(conv([3, 2, 3, 3], { auto_pad: text("SOME") })).rejects.toThrow(/auto_pad must be/);
  });
});
