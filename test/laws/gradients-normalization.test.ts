import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Attributes, float, int, text } from "../../src/graph/model.ts";
import { full, int32, int64, makeTensor } from "../../src/tensor/tensor.ts";
import { checkGradient, randomTensor } from "./gradient-harness.ts";

const small = (low: number, high: number) => fc.integer({ min: low, max: high });
const shapes = (least: number) => fc.array(small(2, 4), { minLength: least, maxLength: 4 });

describe("gradients of normalizations agree with central differences", () => {
  it("BatchNormalization, training and evaluation", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(shapes(2), fc.boolean(), fc.nat(1e6), async (dims, training, seed) => {
        const channels = [dims[1] as number];
        const positive = float32Of(randomTensor(seed + 4, channels).data, (value) => 0.5 + Math.abs(value));
        const inputs = [
          randomTensor(seed, dims),
          ...[1, 2, 3].map((index) => randomTensor(seed + index, channels)),
          makeTensor("float32", channels, positive),
        ];
        await checkGradient({
          op: "BatchNormalization",
          inputs,
          attributes: { epsilon: float(0.01), training_mode: int(Number(training)) },
          outputs: training ? 3 : 1,
          lossOutputs: [0],
          differentiable: training ? [0, 1, 2] : [0, 1, 2, 3, 4],
          // A batch of two makes 1/deviation steep: the differences lose digits before the rule does.
          tolerance: 5e-3,
        });
      }),
      { numRuns: 40 },
    );
  });

  it("LayerNormalization on any axis", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(shapes(1), small(0, 3), fc.boolean(), fc.nat(1e6), async (dims, at, bias, seed) => {
        const axis = at % dims.length;
        const normalized = dims.slice(axis);
        await checkGradient({
          op: "LayerNormalization",
          inputs: [
            randomTensor(seed, dims),
            randomTensor(seed + 1, normalized),
            ...(bias ? [randomTensor(seed + 2, normalized)] : []),
          ],
          attributes: { axis: int(axis), epsilon: float(0.1) },
          differentiable: bias ? [0, 1, 2] : [0, 1],
          tolerance: 5e-3,
        });
      }),
      { numRuns: 40 },
    );
  });

  it("Softmax and LogSoftmax on any axis", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(shapes(1), small(-4, 3), fc.nat(1e6), async (dims, at, seed) => {
        const axis = at % dims.length;
        for (const op of ["Softmax", "LogSoftmax"]) {
          const attributes = { axis: int(axis) };
          await checkGradient({ op, inputs: [randomTensor(seed, dims)], attributes, differentiable: [0] });
        }
      }),
      { numRuns: 20 },
    );
  });

  it("Dropout in evaluation; an error in training", async () => {
    const inputs = [randomTensor(1, [3, 4]), full([], 0.5)];
    await checkGradient({ op: "Dropout", inputs, differentiable: [0] });
    const training = makeTensor("bool", [], Uint8Array.of(1));
    await expect(
      checkGradient({ op: "Dropout", inputs: [...inputs, training], differentiable: [0] }),
    ).rejects.toThrow(/random mask/);
  });
});

describe("the gradient of SoftmaxCrossEntropyLoss agrees with central differences", () => {
  const losses = fc.record({
    dims: shapes(2),
    reduction: fc.constantFrom("mean", "sum", "none"),
    wide: fc.boolean(),
    ignore: fc.boolean(),
    logarithms: fc.boolean(),
    named: fc.boolean(),
    seed: fc.nat(1e6),
  });

  it("over reductions, label types and ignored labels", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(losses, async ({ dims, reduction, wide, ignore, logarithms, named, seed }) => {
        const [batch = 1, classes = 1, ...rest] = dims;
        const shape = [batch, ...rest];
        const size = shape.reduce((product, dim) => product * dim, 1);
        // The first label is never the ignored one, so that the mean exists.
        const list = Array.from({ length: size }, (_, at) => (at === 0 ? 1 : (seed + at * 7) % classes));
        const attributes: Attributes = {
          reduction: text(reduction),
          ...(ignore ? { ignore_index: int(0) } : {}),
        };
        await checkGradient({
          op: "SoftmaxCrossEntropyLoss",
          inputs: [randomTensor(seed, dims), wide ? int64(shape, list) : int32(shape, list)],
          attributes,
          outputs: logarithms ? 2 : 1,
          lossOutputs: [0],
          differentiable: [0],
          fed: [1],
          ...(named ? {} : { numeric: [0, 1] }),
        });
      }),
      { numRuns: 40 },
    );
  });
});

function float32Of(data: ArrayLike<number>, map: (value: number) => number): Float32Array {
  return Float32Array.from(data, map);
}
