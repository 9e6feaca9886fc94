import fc from "fast-check";
import { type Attributes, float, int } from "../../src/graph/model.ts";
import type { OperatorName } from "../../src/ops/index.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import {
  awayFromZero,
  broadcasting,
  type Cases,
  logical,
  map,
  nary,
  tensor,
  unary,
} from "./case-arbitraries.ts";

/** Infinities of both signs and NaN among ordinary numbers. */
const rare = (x: number) =>
  Math.abs(x) < 0.5
    ? Number.NaN
    : x > 1.5
      ? Number.POSITIVE_INFINITY
      : x < -1.5
        ? Number.NEGATIVE_INFINITY
        : x;

const questions = (op: OperatorName): Cases =>
  unary(op, rare).map((test) => ({ ...test, differentiable: [] }));

const alpha = fc.constantFrom<Attributes>({}, { alpha: float(0.5) }, { alpha: float(1.7) });

/** Elementwise operators with a gradient. */
export const elementwiseCases: { readonly [K in OperatorName]?: Cases } = {
  Atan: unary("Atan"),
  Celu: unary("Celu", undefined, alpha),
  Mean: fc.integer({ min: 1, max: 3 }).chain((count) => nary("Mean", count)),
  Mish: unary("Mish"),
  PRelu: broadcasting(2)
    // The slope is broadcast to x, not the other way around.
    .map(([x, slope]) => ((x?.length ?? 0) < (slope?.length ?? 0) ? [slope, x] : [x, slope]))
    .chain(([x = [], slope = []]) =>
      fc.tuple(tensor(x.map((size, at) => Math.max(size, slope.at(at - x.length) ?? 1))), tensor(slope)),
    )
    .map(([x, slope]) => ({ op: "PRelu", inputs: [map(x, awayFromZero), slope], differentiable: [0, 1] })),
  Selu: unary(
    "Selu",
    awayFromZero,
    fc.constantFrom<Attributes>({}, { alpha: float(0.5), gamma: float(1.5) }),
  ),
  Softsign: unary("Softsign"),
  Sum: fc.integer({ min: 1, max: 3 }).chain((count) => nary("Sum", count)),
  Swish: unary("Swish", undefined, alpha).map((test) => ({ ...test, opset: 24 })),
};

/** Elementwise operators without a gradient, or with gradient zero. */
export const flatCases: { readonly [K in OperatorName]?: Cases } = {
  Ceil: unary("Ceil"),
  IsInf: questions("IsInf"),
  IsNaN: questions("IsNaN"),
  Mod: nary("Mod", 2).map(({ inputs }) => ({
    op: "Mod",
    inputs: inputs.map((input, index) =>
      index === 1 ? map(input as Tensor<"float32">, awayFromZero) : (input as Tensor<"float32">),
    ),
    attributes: { fmod: int(1) },
    differentiable: [],
  })),
  Round: unary("Round"),
  Xor: logical("Xor", 2),
};
