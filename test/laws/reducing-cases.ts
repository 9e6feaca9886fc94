import fc from "fast-check";
import { float, int } from "../../src/graph/model.ts";
import type { OperatorName } from "../../src/ops/index.ts";
import { int64, type Tensor } from "../../src/tensor/tensor.ts";
import { awayFromZero, type Cases, map, reduction, seed, shape, tensor } from "./case-arbitraries.ts";
import { randomTensor } from "./gradient-harness.ts";

const small = (low: number, high: number) => fc.integer({ min: low, max: high });

/** Running sums, reductions and normalisations. */
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
  InstanceNormalization: fc
    .record({ dims: fc.array(small(1, 3), { minLength: 3, maxLength: 4 }), from: seed })
    .map(({ dims: [batch = 1, channels = 1, first = 1, ...rest], from }) => ({
      op: "InstanceNormalization",
      inputs: [
        // One element to a channel would normalise to 0.
        randomTensor(from, [batch, channels, first + 1, ...rest]),
        randomTensor(from + 1, [channels]),
        randomTensor(from + 2, [channels]),
      ],
      attributes: { epsilon: float(0.1) },
      differentiable: [0, 1, 2],
      tolerance: 5e-3,
    })),
  ReduceL1: reduction("ReduceL1", true).map(({ inputs: [x, ...axes], ...test }) => ({
    ...test,
    inputs: [map(x as Tensor<"float32">, awayFromZero), ...axes],
  })),
  ReduceL2: reduction("ReduceL2", true),
  ReduceLogSumExp: reduction("ReduceLogSumExp", true),
  ReduceSumSquare: reduction("ReduceSumSquare", true),
};

/** Operators that look along an axis and have no gradient to speak of. */
export const lookingCases: { readonly [K in OperatorName]?: Cases } = {
  Hardmax: shape(1).chain((dims) =>
    fc.tuple(tensor(dims), small(-dims.length, dims.length - 1)).map(([x, axis]) => ({
      op: "Hardmax",
      inputs: [x],
      attributes: { axis: int(axis) },
      differentiable: [],
    })),
  ),
};
