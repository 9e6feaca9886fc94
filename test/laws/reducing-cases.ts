import fc from "fast-check";
import { float, int } from "../../src/graph/model.ts";
import type { OperatorName } from "../../src/ops/index.ts";
import { int64, sizeOf, type Tensor } from "../../src/tensor/tensor.ts";
import { awayFromZero, type Cases, map, reduction, seed, shape, tensor } from "./case-arbitraries.ts";
import { randomTensor } from "./gradient-harness.ts";

const small = (low: number, high: number) => fc.integer({ min: low, max: high });

// ONNX Runtime normalizes in float32 even if it is given float64 (stash_type).
const epsilon = Math.fround(0.1);
const numbers = (tensor: Tensor | undefined) => Array.from(tensor?.data as Float64Array);
const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** `f` of each run of `length` neighboring entries. */
function byRuns(x: Tensor, length: number, f: (run: number[], first: number) => number[]): Tensor {
  const data = new Float64Array(x.data.length);
  for (let first = 0; first < data.length; first += length) {
    data.set(f(numbers(x).slice(first, first + length), first), first);
  }
  return { dtype: "float64", dims: x.dims, data };
}

function groupNormalized([x, scale, shift]: readonly (Tensor | undefined)[], groups: number): Tensor {
  const [batch = 1, channels = 1] = (x as Tensor).dims;
  const [length, inner] = [batch * groups, batch * channels].map((count) => numbers(x).length / count) as [
    number,
    number,
  ];
  const entries = scale?.data.length as number;
  return byRuns(x as Tensor, length, (run, first) => {
    const mean = meanOf(run);
    const deviation = Math.sqrt(meanOf(run.map((value) => (value - mean) ** 2)) + epsilon);
    return run.map((value, at) => {
      const channel = Math.floor((first + at) / inner) % channels;
      const entry = Math.floor((channel * entries) / channels);
      const [times, plus] = [scale, shift].map((tensor) => numbers(tensor)[entry]) as [number, number];
      return ((value - mean) / deviation) * times + plus;
    });
  });
}

function rootMeanSquared([x, scale]: readonly (Tensor | undefined)[], length: number): Tensor {
  return byRuns(x as Tensor, length, (run) => {
    const root = Math.sqrt(meanOf(run.map((value) => value ** 2)) + epsilon);
    return run.map((value, at) => (value / root) * (numbers(scale)[at % numbers(scale).length] as number));
  });
}

function locallyNormalized(
  x: Tensor,
  size: number,
  { alpha, beta, bias }: Readonly<Record<"alpha" | "beta" | "bias", number>>,
): Tensor {
  const [values, [batch = 1, channels = 1]] = [numbers(x), x.dims];
  const inner = values.length / (batch * channels);
  const side = (size - 1) / 2;
  const data = values.map((value, at) => {
    const channel = Math.floor(at / inner) % channels;
    let sum = 0;
    for (let other = Math.max(0, channel - side); other <= Math.min(channels - 1, channel + side); other++) {
      sum += (values[at + (other - channel) * inner] as number) ** 2;
    }
    return value / (bias + (alpha * sum) / size) ** beta;
  });
  return { dtype: "float64", dims: x.dims, data: Float64Array.from(data) };
}

/** 1 at the first of the largest entries along an axis. */
function largestMarked(x: Tensor, axis: number): Tensor {
  const values = numbers(x);
  const inner = sizeOf(x.dims.slice(axis + 1));
  const outer = inner * (x.dims[axis] as number);
  const line = (at: number) =>
    values.filter(
      (_, other) => Math.floor(other / outer) === Math.floor(at / outer) && other % inner === at % inner,
    );
  return {
    dtype: "float64",
    dims: x.dims,
    data: Float64Array.from(values, (value, at) => Number(value === Math.max(...line(at)))),
  };
}

/** Running sums, reductions and normalizations. */
export const reducingCases: { readonly [K in OperatorName]?: Cases } = {
  CumSum: shape(1, 3).chain((dims) =>
    fc
      .record({
        x: tensor(dims),
        axis: small(-dims.length, dims.length - 1),
        exclusive: small(0, 1),
        reverse: small(0, 1),
      })
      .map(({ x, axis, exclusive, reverse }) => ({
        op: "CumSum",
        inputs: [x, int64([], [axis])],
        attributes: { exclusive: int(exclusive), reverse: int(reverse) },
        differentiable: [0],
      })),
  ),
  GroupNormalization: fc
    .record({
      batch: small(1, 2),
      groups: small(1, 3),
      perGroup: small(1, 3),
      space: fc.array(small(1, 3), { maxLength: 1 }),
      byGroup: fc.boolean(),
      from: seed,
    })
    .map(({ batch, groups, perGroup, space, byGroup, from }) => {
      const affine = [byGroup ? groups : groups * perGroup];
      return {
        op: "GroupNormalization",
        inputs: [
          // One element per group would normalize to 0.
          randomTensor(from, [batch, groups * perGroup, 2, ...space]),
          randomTensor(from + 1, affine),
          randomTensor(from + 2, affine),
        ],
        attributes: { num_groups: int(groups), epsilon: float(0.1) },
        differentiable: [0, 1, 2],
        // A symbolic number of channels does not show whether it divides into groups.
        numeric: [0, 1, 2],
        tolerance: 5e-3,
        float32Only: true,
        exact: (given: readonly (Tensor | undefined)[]) => groupNormalized(given, groups),
        // By group it is that of operator set 18.
        ...(byGroup ? {} : { opset: 21 }),
      };
    }),
  InstanceNormalization: fc
    .record({ dims: fc.array(small(1, 3), { minLength: 3, maxLength: 4 }), from: seed })
    .map(({ dims: [batch = 1, channels = 1, first = 1, ...rest], from }) => ({
      op: "InstanceNormalization",
      inputs: [
        // One element per channel would normalize to 0.
        randomTensor(from, [batch, channels, first + 1, ...rest]),
        randomTensor(from + 1, [channels]),
        randomTensor(from + 2, [channels]),
      ],
      attributes: { epsilon: float(0.1) },
      differentiable: [0, 1, 2],
      tolerance: 5e-3,
      // By channel, as groups of one are.
      exact: (given: readonly (Tensor | undefined)[]) => groupNormalized(given, channels),
    })),
  LRN: fc
    .record({
      dims: fc.array(small(1, 4), { minLength: 4, maxLength: 4 }),
      size: fc.constantFrom(1, 3, 5, 7),
      alpha: fc.constantFrom(1e-4, 0.5, 3),
      beta: fc.constantFrom(0.5, 0.75, 2),
      bias: fc.constantFrom(1, 0.3),
      from: seed,
    })
    .map(({ dims: [batch = 1, channels = 1, ...space], size, alpha, beta, bias, from }) => ({
      op: "LRN",
      inputs: [randomTensor(from, [batch, 2 * channels, ...space])],
      attributes: { size: int(size), alpha: float(alpha), beta: float(beta), bias: float(bias) },
      differentiable: [0],
      tolerance: 5e-3,
      exact: (given: readonly (Tensor | undefined)[]) =>
        locallyNormalized(given[0] as Tensor, size, {
          alpha: Math.fround(alpha),
          beta: Math.fround(beta),
          bias: Math.fround(bias),
        }),
    })),
  LpNormalization: shape(1).chain((dims) =>
    fc
      .record({ x: tensor(dims), axis: small(-dims.length, dims.length - 1), p: small(1, 2) })
      .map(({ x, axis, p }) => ({
        op: "LpNormalization",
        inputs: [map(x, awayFromZero)],
        attributes: { axis: int(axis), p: int(p) },
        differentiable: [0],
      })),
  ),
  RMSNormalization: shape(1).chain((dims) =>
    fc
      .record({ x: tensor(dims), at: fc.nat(dims.length - 1), wide: fc.boolean(), from: seed })
      .map(({ x, at, wide, from }) => ({
        op: "RMSNormalization",
        inputs: [x, randomTensor(from, wide ? dims.slice(at) : dims.slice(-1))],
        attributes: { axis: int(at), epsilon: float(0.1) },
        differentiable: [0, 1],
        opset: 23,
        tolerance: 5e-3,
        float32Only: true,
        exact: (given: readonly (Tensor | undefined)[]) => rootMeanSquared(given, sizeOf(dims.slice(at))),
      })),
  ),
  ReduceL1: reduction("ReduceL1", true).map(({ inputs: [x, ...axes], ...test }) => ({
    ...test,
    inputs: [map(x as Tensor<"float32">, awayFromZero), ...axes],
  })),
  ReduceL2: reduction("ReduceL2", true),
  ReduceLogSumExp: reduction("ReduceLogSumExp", true),
  ReduceProd: reduction("ReduceProd", true),
  ReduceSumSquare: reduction("ReduceSumSquare", true),
};

/** Operators that search along an axis, without a useful gradient. */
export const lookingCases: { readonly [K in OperatorName]?: Cases } = {
  Hardmax: shape(1).chain((dims) =>
    fc.tuple(tensor(dims), small(-dims.length, dims.length - 1)).map(([x, axis]) => ({
      op: "Hardmax",
      inputs: [x],
      attributes: { axis: int(axis) },
      differentiable: [],
      exact: ([given]: readonly (Tensor | undefined)[]) =>
        largestMarked(given as Tensor, (axis + dims.length) % dims.length),
    })),
  ),
};
