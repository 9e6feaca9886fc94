import fc from "fast-check";
import { float, int, ints, text } from "../../src/graph/model.ts";
import type { OperatorName } from "../../src/ops/index.ts";
import { float32, int64, sizeOf } from "../../src/tensor/tensor.ts";
import {
  awayFromZero,
  broadcasting,
  type Cases,
  logical,
  map,
  nary,
  positive,
  reduction,
  seed,
  shape,
  tensor,
  unary,
} from "./case-arbitraries.ts";
import { cuttingCases } from "./cutting-cases.ts";
import { elementwiseCases, flatCases } from "./elementwise-cases.ts";
import { randomTensor } from "./gradient-harness.ts";
import { movingCases } from "./moving-cases.ts";
import { productCases } from "./product-cases.ts";
import { recurrentCases } from "./recurrent-cases.ts";
import { lookingCases, reducingCases } from "./reducing-cases.ts";

export type { Cases } from "./case-arbitraries.ts";

/** Ways to write `dims` as a Reshape target. */
const reshape: Cases = shape(0).chain((dims) =>
  fc
    .record({
      x: tensor(dims),
      order: fc.shuffledSubarray(factors(sizeOf(dims)), { minLength: factors(sizeOf(dims)).length }),
      cuts: fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
      open: fc.option(fc.nat(5)),
      zeros: fc.boolean(),
    })
    .map(({ x, order, cuts, open, zeros }) => {
      const target: number[] = [];
      order.forEach((factor, at) => {
        if (at === 0 || cuts[at]) target.push(factor);
        else target[target.length - 1] = (target.at(-1) as number) * factor;
      });
      const written = target.map((size, axis) =>
        axis === open ? -1 : zeros && dims[axis] === size ? 0 : size,
      );
      return { op: "Reshape", inputs: [x, int64([written.length], written)], differentiable: [0] };
    }),
);

function factors(size: number): number[] {
  for (let p = 2; p <= size; p++) if (size % p === 0) return [p, ...factors(size / p)];
  return [];
}

const matMul: Cases = fc
  .record({
    m: fc.integer({ min: 1, max: 4 }),
    k: fc.integer({ min: 1, max: 5 }),
    n: fc.integer({ min: 1, max: 4 }),
    batch: broadcasting(2),
    vectors: fc.constantFrom("none", "none", "none", "a", "b", "both", "weight"),
  })
  .chain(({ m, k, n, batch, vectors }) => {
    const [left, right] = batch as [number[], number[]];
    const a = vectors === "a" || vectors === "both" ? [k] : [...left, m, k];
    const b = vectors === "b" || vectors === "both" ? [k] : vectors === "weight" ? [k, n] : [...right, k, n];
    return fc.tuple(tensor(a), tensor(b));
  })
  .map((inputs) => ({ op: "MatMul", inputs, differentiable: [0, 1] }));

const squeezing = shape(0, 3).chain((dims) =>
  fc.record({
    dims: fc.constant(dims),
    at: fc.uniqueArray(fc.nat(dims.length + 1), { minLength: 1, maxLength: 2 }),
  }),
);

/** `dims` with size-1 axes at positions `at` of the result. */
function insertOnes(dims: readonly number[], at: readonly number[]): { dims: number[]; axes: number[] } {
  const rank = dims.length + at.length;
  const axes = at.map((axis) => axis % rank).sort((a, b) => a - b);
  const distinct = [...new Set(axes)];
  const rest = [...dims];
  const result = Array.from({ length: dims.length + distinct.length }, (_, axis) =>
    distinct.includes(axis) ? 1 : (rest.shift() ?? 1),
  );
  return { dims: result, axes: distinct.filter((axis) => result[axis] === 1) };
}

/** Calls of the operators that have a gradient, by operator, with shapes and attributes chosen at random. */
export const differentiableCases: { readonly [K in OperatorName]?: Cases } = {
  ...cuttingCases,
  ...elementwiseCases,
  ...movingCases,
  ...productCases,
  ...recurrentCases,
  ...reducingCases,
  Abs: unary("Abs", awayFromZero),
  Add: nary("Add", 2),
  // Only the type of the other value matters: it has no gradient.
  CastLike: fc.tuple(tensor([2, 3]), tensor([4])).map(([x, like]) => ({
    op: "CastLike",
    inputs: [x, like],
    differentiable: [0],
    float32Only: true,
  })),
  Cast: unary("Cast", undefined, fc.constant({ to: int(1) })).map((c) => ({ ...c, float32Only: true })),
  Clip: fc
    .record({ dims: shape(0), s: seed, low: fc.boolean(), high: fc.boolean(), crossed: fc.boolean() })
    .map(({ dims, s, low, high, crossed }) => ({
      op: "Clip",
      inputs: [
        randomTensor(s, dims),
        low ? float32([], [crossed && high ? 0.9 : -0.7]) : undefined,
        high ? float32([], [0.8]) : undefined,
      ],
      differentiable: [0, ...(low ? [1] : []), ...(high ? [2] : [])],
    })),
  Cos: unary("Cos"),
  Div: nary("Div", 2, (x, index) => (index === 1 ? awayFromZero(x) : x)),
  Elu: unary("Elu", awayFromZero, fc.constantFrom({}, { alpha: float(0.5) }, { alpha: float(1.7) })),
  Erf: unary("Erf"),
  Exp: unary("Exp"),
  Expand: broadcasting(2).chain(([from, to]) =>
    tensor(from as number[]).map((x) => ({
      op: "Expand",
      inputs: [x, int64([(to as number[]).length], to as number[])],
      differentiable: [0],
    })),
  ),
  Flatten: shape(1).chain((dims) =>
    fc.tuple(tensor(dims), fc.integer({ min: -dims.length, max: dims.length })).map(([x, axis]) => ({
      op: "Flatten",
      inputs: [x],
      attributes: { axis: int(axis) },
      differentiable: [0],
    })),
  ),
  Gelu: unary(
    "Gelu",
    undefined,
    fc.constantFrom({}, { approximate: text("none") }, { approximate: text("tanh") }),
  ),
  Gemm: fc
    .record({
      m: fc.integer({ min: 1, max: 4 }),
      k: fc.integer({ min: 1, max: 4 }),
      n: fc.integer({ min: 1, max: 4 }),
      transA: fc.constantFrom(0, 1),
      transB: fc.constantFrom(0, 1),
      alpha: fc.constantFrom(1, 0.5),
      beta: fc.constantFrom(1, -2),
      bias: fc.constantFrom("none", "vector", "row", "column", "full", "scalar"),
      s: seed,
    })
    .map(({ m, k, n, transA, transB, alpha, beta, bias, s }) => {
      const c = { none: undefined, vector: [n], row: [1, n], column: [m, 1], full: [m, n], scalar: [] }[bias];
      const inputs = [
        randomTensor(s, transA ? [k, m] : [m, k]),
        randomTensor(s + 1, transB ? [n, k] : [k, n]),
        ...(c === undefined ? [] : [randomTensor(s + 2, c)]),
      ];
      return {
        op: "Gemm",
        inputs,
        attributes: { transA: int(transA), transB: int(transB), alpha: float(alpha), beta: float(beta) },
        differentiable: inputs.map((_, index) => index),
      };
    }),
  HardSigmoid: unary("HardSigmoid", (x) => (Math.abs(Math.abs(x) - 2.5) < 0.1 ? x + 0.3 : x)),
  HardSwish: unary("HardSwish", (x) => 2.3 * (Math.abs(Math.abs(2.3 * x) - 3) < 0.1 ? x + 0.3 : x)),
  Identity: unary("Identity"),
  LeakyRelu: unary(
    "LeakyRelu",
    awayFromZero,
    fc.constantFrom({}, { alpha: float(0.3) }, { alpha: float(-0.5) }),
  ),
  Log: unary("Log", positive),
  MatMul: matMul,
  Max: fc.integer({ min: 1, max: 3 }).chain((count) => nary("Max", count, (x, index) => x + 0.11 * index)),
  Min: fc.integer({ min: 1, max: 3 }).chain((count) => nary("Min", count, (x, index) => x + 0.11 * index)),
  Mul: nary("Mul", 2),
  Neg: unary("Neg"),
  Pow: fc.oneof(
    nary("Pow", 2, (x, index) => (index === 0 ? positive(x) : x)),
    fc.tuple(shape(0), seed, fc.constantFrom(0, 1, 2, 3, -1)).map(([dims, s, e]) => ({
      op: "Pow",
      inputs: [map(randomTensor(s, dims), awayFromZero), float32([], [e])],
      differentiable: [0],
    })),
    fc.tuple(shape(0), seed, fc.constantFrom(0, 1, 2, 3)).map(([dims, s, e]) => ({
      op: "Pow",
      inputs: [map(randomTensor(s, dims), awayFromZero), int64([], [e])],
      differentiable: [0],
    })),
  ),
  Reciprocal: unary("Reciprocal", awayFromZero),
  ReduceMax: reduction("ReduceMax", true),
  ReduceMean: reduction("ReduceMean", true),
  ReduceMin: reduction("ReduceMin", true),
  ReduceSum: reduction("ReduceSum", true),
  Relu: unary("Relu", awayFromZero),
  Reshape: reshape,
  Sigmoid: unary("Sigmoid"),
  Sin: unary("Sin"),
  Softplus: unary("Softplus"),
  Sqrt: unary("Sqrt", positive),
  Squeeze: fc.tuple(squeezing, seed, fc.boolean()).map(([{ dims, at }, s, given]) => {
    const ones = insertOnes(dims, at);
    return {
      op: "Squeeze",
      inputs: [randomTensor(s, ones.dims), ...(given ? [int64([ones.axes.length], ones.axes)] : [])],
      differentiable: [0],
    };
  }),
  Sub: nary("Sub", 2),
  Tanh: unary("Tanh"),
  Tile: shape(1, 3).chain((dims) =>
    fc
      .tuple(
        tensor(dims),
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: dims.length, maxLength: dims.length }),
      )
      .map(([x, repeats]) => ({
        op: "Tile",
        inputs: [x, int64([repeats.length], repeats)],
        differentiable: [0],
      })),
  ),
  Transpose: shape(0).chain((dims) =>
    fc
      .tuple(
        tensor(dims),
        fc.option(
          fc.shuffledSubarray(
            dims.map((_, axis) => axis),
            { minLength: dims.length, maxLength: dims.length },
          ),
        ),
      )
      .map(([x, perm]) => ({
        op: "Transpose",
        inputs: [x],
        attributes: perm === null ? {} : { perm: ints(perm) },
        differentiable: [0],
      })),
  ),
  Unsqueeze: fc.tuple(squeezing, seed, fc.boolean()).map(([{ dims, at }, s, negative]) => {
    const { axes, dims: after } = insertOnes(dims, at);
    const written = axes.map((axis) => (negative ? axis - after.length : axis));
    return {
      op: "Unsqueeze",
      inputs: [
        randomTensor(
          s,
          after.filter((_, axis) => !axes.includes(axis)),
        ),
        int64([axes.length], written),
      ],
      differentiable: [0],
    };
  }),
  Where: broadcasting(3)
    .chain(([c, a, b]) => fc.tuple(tensor(c as number[]), tensor(a as number[]), tensor(b as number[])))
    .map(([c, a, b]) => ({
      op: "Where",
      inputs: [{ dtype: "bool", dims: c.dims, data: Uint8Array.from(c.data, (x) => Number(x > 0)) }, a, b],
      differentiable: [1, 2],
    })),
};

const comparing = (op: string): Cases => nary(op, 2).map((test) => ({ ...test, differentiable: [] }));

const position = (op: OperatorName): Cases =>
  shape(1).chain((dims) =>
    fc.tuple(tensor(dims), fc.nat(dims.length - 1), fc.constantFrom(0, 1)).map(([x, axis, keepdims]) => ({
      op,
      inputs: [x],
      attributes: { axis: int(axis), keepdims: int(keepdims) },
      differentiable: [],
    })),
  );

/** Calls of operators without a gradient. */
export const otherCases: { readonly [K in OperatorName]?: Cases } = {
  ...flatCases,
  ...lookingCases,
  And: logical("And", 2),
  ArgMax: position("ArgMax"),
  ArgMin: position("ArgMin"),
  Equal: comparing("Equal"),
  Floor: unary("Floor"),
  Greater: comparing("Greater"),
  GreaterOrEqual: comparing("GreaterOrEqual"),
  Less: comparing("Less"),
  LessOrEqual: comparing("LessOrEqual"),
  Not: logical("Not", 1),
  Or: logical("Or", 2),
  Sign: unary("Sign"),
};

/** {@link differentiableCases} and {@link otherCases}. */
export const operatorCases = { ...differentiableCases, ...otherCases };
