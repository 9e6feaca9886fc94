import fc from "fast-check";
import { type Attributes, int } from "../../src/graph/model.ts";
import { float32, int64, type Tensor } from "../../src/tensor/tensor.ts";
import { type GradientCase, randomTensor } from "./gradient-harness.ts";

export type Cases = fc.Arbitrary<GradientCase>;

export const seed = fc.integer({ min: 0, max: 2 ** 31 - 1 });
export const shape = (minRank: number, maxRank = 4) =>
  fc.array(fc.integer({ min: 1, max: 4 }), { minLength: minRank, maxLength: maxRank });
export const tensor = (dims: readonly number[], scale = 2) => seed.map((s) => randomTensor(s, dims, scale));
export const map = (t: Tensor<"float32">, f: (x: number) => number) => float32(t.dims, Array.from(t.data, f));

/** `count` shapes that broadcast together. */
export const broadcasting = (count: number) =>
  shape(0, 3).chain((dims) =>
    fc.tuple(
      ...Array.from({ length: count }, () =>
        fc
          .tuple(
            fc.integer({ min: 0, max: dims.length }),
            fc.array(fc.boolean(), { minLength: dims.length, maxLength: dims.length }),
          )
          .map(([drop, ones]) => dims.map((dim, axis) => (ones[axis] ? 1 : dim)).slice(drop)),
      ),
    ),
  );

/** Elementwise on one input. */
export const unary = (
  op: string,
  f: (x: number) => number = (x) => x,
  attributes: fc.Arbitrary<Attributes> = fc.constant({}),
): Cases =>
  fc
    .tuple(
      shape(0).chain((dims) => tensor(dims)),
      attributes,
    )
    .map(([x, given]) => ({
      op,
      inputs: [map(x, f)],
      attributes: given,
      differentiable: [0],
    }));

/** Elementwise on `count` inputs, broadcast; `f` keeps each away from points without a derivative. */
export const nary = (op: string, count: number, f: (x: number, index: number) => number = (x) => x): Cases =>
  broadcasting(count)
    .chain((shapes) => fc.tuple(...shapes.map((dims) => tensor(dims))))
    .map((inputs) => ({
      op,
      inputs: inputs.map((input, index) => map(input, (x) => f(x, index))),
      differentiable: inputs.map((_, index) => index),
    }));

export const positive = (x: number) => Math.abs(x) + 0.3;
export const awayFromZero = (x: number) => x + Math.sign(x) * 0.3;

export const reduction = (op: string, inputForm: boolean): Cases =>
  shape(1).chain((dims) =>
    fc
      .record({
        x: tensor(dims),
        axes: fc.option(
          fc.subarray(
            dims.map((_, axis) => axis),
            { minLength: 1 },
          ),
        ),
        negative: fc.boolean(),
        keepdims: fc.constantFrom(0, 1),
        noop: fc.constantFrom(0, 1),
      })
      .map(({ x, axes, negative, keepdims, noop }) => {
        const listed = axes?.map((axis) => (negative ? axis - dims.length : axis));
        const given = listed === undefined ? undefined : int64([listed.length], listed);
        return {
          op,
          inputs: given === undefined || !inputForm ? [x] : [x, given],
          attributes: { keepdims: int(keepdims), ...(inputForm ? { noop_with_empty_axes: int(noop) } : {}) },
          differentiable: [0],
        };
      }),
  );

export const logical = (op: string, count: number): Cases =>
  nary(op, count).map(({ inputs }) => ({
    op,
    inputs: inputs.map((input) => truth(input as Tensor<"float32">)),
    differentiable: [],
  }));

function truth(input: Tensor<"float32">): Tensor<"bool"> {
  return { dtype: "bool", dims: input.dims, data: Uint8Array.from(input.data, (x) => Number(x > 0)) };
}
