import { int } from "../../src/graph/model.ts";
import type { OperatorName } from "../../src/ops/index.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { awayFromZero, type Cases, map, nary, unary } from "./case-arbitraries.ts";

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

/** Elementwise operators without a gradient. */
export const elementwiseCases: { readonly [K in OperatorName]?: Cases } = {
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
};
