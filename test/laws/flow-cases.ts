import fc from "fast-check";
import { type Attributes, float, int, ints, text } from "../../src/graph/model.ts";
import type { OperatorName } from "../../src/ops/index.ts";
import { float32, full, int64, makeTensor, type Tensor } from "../../src/tensor/tensor.ts";
import { randomTensor } from "./gradient-harness.ts";
import type { Cases } from "./operator-cases.ts";

const small = (low: number, high: number) => fc.integer({ min: low, max: high });
const seed = fc.nat(1e6);
const shape = (least: number) => fc.array(small(1, 4), { minLength: least, maxLength: 4 });

function positive(tensor: Tensor<"float32">): Tensor<"float32"> {
  return float32(
    tensor.dims,
    Array.from(tensor.data, (value) => 0.5 + Math.abs(value)),
  );
}

/** A call whose inputs are given by their shapes. */
const call = (
  op: OperatorName,
  from: number,
  shapes: readonly (readonly number[])[],
  attributes: Attributes,
) => ({
  op,
  inputs: shapes.map((dims, index) => randomTensor(from + index, dims)),
  attributes,
  differentiable: [],
});

/** C inputs and M outputs in G groups; depthwise with and without a multiplier among them. */
const convolution = (op: "Conv" | "ConvTranspose"): Cases =>
  fc
    .record({
      groups: small(1, 3),
      ins: small(1, 3),
      outs: small(1, 3),
      spatial: small(1, 2),
      bias: fc.boolean(),
      from: seed,
    })
    .map(({ groups, ins, outs, spatial, bias, from }) => {
      const size = Array.from({ length: spatial }, (_, axis) => 3 + axis);
      const kernel = Array.from({ length: spatial }, () => 2);
      const weight = op === "Conv" ? [outs * groups, ins, ...kernel] : [ins * groups, outs, ...kernel];
      const shapes = [[2, ins * groups, ...size], weight, ...(bias ? [[outs * groups]] : [])];
      return call(op, from, shapes, { group: int(groups) });
    });

const pool = (op: OperatorName, attributes: Attributes): Cases =>
  fc
    .record({ batch: small(1, 3), channels: small(1, 4), from: seed })
    .map(({ batch, channels, from }) => call(op, from, [[batch, channels, 4, 3]], attributes));

const softmax = (op: OperatorName): Cases =>
  fc
    .record({ dims: shape(1), at: small(-4, 3), from: seed })
    .map(({ dims, at, from }) => call(op, from, [dims], { axis: int(at % dims.length) }));

/** Calls of operators whose gradients are tested elsewhere, and calls that matter only for axes. */
export const flowCases: { readonly [K in OperatorName]?: Cases } = {
  AveragePool: pool("AveragePool", { kernel_shape: ints([2, 2]), pads: ints([1, 0, 0, 1]) }),
  BatchNormalization: fc
    .record({ dims: shape(2), training: fc.boolean(), from: seed })
    .map(({ dims, training, from }) => {
      const channels = [dims[1] as number];
      const inputs = [dims, channels, channels, channels, channels].map((sizes, index) =>
        randomTensor(from + index, sizes),
      );
      return {
        op: "BatchNormalization",
        inputs: inputs.map((tensor, index) => (index === 4 ? positive(tensor) : tensor)),
        attributes: { epsilon: float(0.01), training_mode: int(Number(training)) },
        outputs: training ? 3 : 1,
        differentiable: [],
      };
    }),
  Concat: fc
    .record({ dims: shape(1), at: fc.nat(3), count: small(1, 3), from: seed })
    .map(({ dims, at, count, from }) =>
      call("Concat", from, new Array<number[]>(count).fill(dims), { axis: int(at % dims.length) }),
    ),
  ConstantOfShape: fc.tuple(shape(1), fc.boolean()).map(([dims, ones]) => ({
    op: "ConstantOfShape",
    inputs: [int64([dims.length], dims)],
    attributes: ones ? { value: { kind: "tensor", value: full([1], 1) } } : {},
    differentiable: [],
  })),
  Conv: convolution("Conv"),
  ConvTranspose: convolution("ConvTranspose"),
  Dropout: fc.record({ dims: shape(1), outputs: small(1, 2), from: seed }).map(({ dims, outputs, from }) => ({
    ...call("Dropout", from, [dims], {}),
    outputs,
  })),
  GlobalAveragePool: pool("GlobalAveragePool", {}),
  GlobalMaxPool: pool("GlobalMaxPool", {}),
  LayerNormalization: fc
    .record({
      dims: shape(1),
      at: fc.nat(3),
      bias: fc.boolean(),
      outputs: fc.constantFrom(1, 1, 3),
      from: seed,
    })
    .map(({ dims, at, bias, outputs, from }) => {
      const axis = Math.max(0, dims.length - 1 - (at % 2));
      const normalized = dims.slice(axis);
      const attributes = { axis: int(axis), epsilon: float(0.1) };
      const shapes = [dims, normalized, ...(bias ? [normalized] : [])];
      return { ...call("LayerNormalization", from, shapes, attributes), outputs };
    }),
  LogSoftmax: softmax("LogSoftmax"),
  MaxPool: pool("MaxPool", { kernel_shape: ints([2, 2]), strides: ints([1, 2]) }),
  Pad: fc
    .record({ dims: shape(2), value: fc.constantFrom(0, 0.5), from: seed })
    .map(({ dims, value, from }) => ({
      ...call("Pad", from, [dims], { mode: text("constant") }),
      inputs: [
        randomTensor(from, dims),
        // A border around the last axis.
        int64(
          [2 * dims.length],
          Array.from({ length: 2 * dims.length }, (_, at) => ((at + 1) % dims.length === 0 ? 1 : 0)),
        ),
        full([], value),
      ],
    })),
  Resize: fc
    .record({ channels: small(1, 4), named: fc.boolean(), from: seed })
    .map(({ channels, named, from }) => ({
      op: "Resize",
      inputs: [
        randomTensor(from, [2, channels, 2, 3]),
        undefined,
        named ? undefined : float32([4], [1, 1, 2, 3]),
        named ? int64([4], [2, channels, 4, 9]) : undefined,
      ],
      attributes: {
        mode: text("nearest"),
        coordinate_transformation_mode: text("asymmetric"),
        nearest_mode: text("floor"),
      },
      differentiable: [],
    })),
  Slice: fc
    .record({
      dims: fc.array(fc.constantFrom(2, 4, 6), { minLength: 1, maxLength: 3 }),
      at: fc.nat(2),
      half: fc.boolean(),
      from: seed,
    })
    .map(({ dims, at, half, from }) => {
      const axis = at % dims.length;
      const middle = (dims[axis] as number) / 2;
      const vector = (value: number) => int64([1], [value]);
      return {
        op: "Slice",
        // Halves, as in rotary embeddings.
        inputs: [
          randomTensor(from, dims),
          vector(half ? 0 : middle),
          vector(half ? middle : 2 ** 31),
          vector(axis),
        ],
        differentiable: [],
      };
    }),
  Softmax: softmax("Softmax"),
  Where: fc.record({ dims: shape(1), from: seed }).map(({ dims, from }) => ({
    op: "Where",
    inputs: [
      makeTensor(
        "bool",
        dims.slice(-1),
        Uint8Array.from({ length: dims.at(-1) ?? 1 }, (_, at) => at % 2),
      ),
      randomTensor(from, dims),
      randomTensor(from + 1, dims),
    ],
    differentiable: [],
  })),
};
