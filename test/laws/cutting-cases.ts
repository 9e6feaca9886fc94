import fc from "fast-check";
import { int, text } from "../../src/graph/model.ts";
import type { OperatorName } from "../../src/ops/index.ts";
import { int64, sizeOf, type Tensor } from "../../src/tensor/tensor.ts";
import { type Cases, shape, tensor } from "./case-arbitraries.ts";

const concat: Cases = shape(1, 3).chain((dims) =>
  fc
    .record({
      axis: fc.nat(dims.length - 1),
      negative: fc.boolean(),
      sizes: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }),
    })
    .chain(({ axis, negative, sizes }) =>
      fc
        .tuple(...sizes.map((size) => tensor(dims.map((dim, at) => (at === axis ? size : dim)))))
        .map((inputs) => ({
          op: "Concat",
          inputs,
          attributes: { axis: int(negative ? axis - dims.length : axis) },
          differentiable: inputs.map((_, index) => index),
        })),
    ),
);

const split: Cases = shape(1, 3).chain((dims) =>
  fc
    .record({
      axis: fc.nat(dims.length - 1),
      sizes: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
      even: fc.boolean(),
      total: fc.constantFrom(3, 5, 6, 7),
      used: fc.integer({ min: 1, max: 7 }),
    })
    .chain(({ axis, sizes, even, total, used }) => {
      const size = even ? total : sizes.reduce((a, b) => a + b, 0);
      const outputs = even ? Math.min(3, sizes.length) : sizes.length;
      const lossOutputs = Array.from({ length: outputs }, (_, index) => index).filter(
        (index) => used & (1 << index),
      );
      return tensor(dims.map((dim, at) => (at === axis ? size : dim))).map((x) => ({
        op: "Split",
        inputs: even ? [x] : [x, int64([sizes.length], sizes)],
        attributes: { axis: int(axis), ...(even ? { num_outputs: int(outputs) } : {}) },
        outputs,
        ...(lossOutputs.length > 0 ? { lossOutputs } : {}),
        differentiable: [0],
        // A symbolic size does not show whether it divides evenly.
        ...(even && size % outputs !== 0 ? { numeric: [0] } : {}),
      }));
    }),
);

const slice: Cases = shape(1, 3)
  .chain((dims) =>
    fc
      .record({
        x: tensor(dims),
        axes: fc.subarray(
          dims.map((_, axis) => axis),
          { minLength: 1 },
        ),
        cuts: fc.array(
          fc.record({
            start: fc.integer({ min: -5, max: 4 }),
            end: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.constant(2 ** 31 - 1), fc.constant(-(2 ** 31))),
            step: fc.constantFrom(1, 1, 1, 2, -1, -2),
          }),
          { minLength: 3, maxLength: 3 },
        ),
        fed: fc.boolean(),
      })
      .map(({ x, axes, cuts, fed }) => {
        const vector = (pick: (cut: (typeof cuts)[number]) => number) =>
          int64(
            [axes.length],
            axes.map((_, at) => pick(cuts[at] as (typeof cuts)[number])),
          );
        return {
          op: "Slice",
          inputs: [
            x,
            vector((c) => c.start),
            vector((c) => c.end),
            int64([axes.length], axes),
            vector((c) => c.step),
          ],
          differentiable: [0],
          ...(fed ? { fed: [1, 2] } : {}),
        };
      }),
  )
  .filter(({ inputs: [x, starts, ends, axes, steps] }) => {
    // If a symbolic size is smaller than a cut assumes, the shape rule promises nothing.
    const numbers = (t: Tensor | undefined) => Array.from(t?.data as BigInt64Array, Number);
    return numbers(axes).every((axis, at) => {
      const size = x?.dims[axis] as number;
      const [start, end, step] = [numbers(starts)[at], numbers(ends)[at], numbers(steps)[at]] as number[] as [
        number,
        number,
        number,
      ];
      const inside = (p: number) => (p >= 0 ? p <= size : -p <= size) || Math.abs(p) > 1000;
      const from = start < 0 ? start + size : start;
      const to = Math.min(Math.max(end < 0 ? end + size : end, -1), size);
      return inside(start) && inside(end) && from < size && (step > 0 ? from < to : from > to);
    });
  });

const gather: Cases = shape(1, 3).chain((dims) =>
  fc
    .record({ x: tensor(dims), axis: fc.nat(dims.length - 1), at: shape(0, 2), fed: fc.boolean() })
    .chain(({ x, axis, at, fed }) => {
      const size = dims[axis] as number;
      const count = sizeOf(at);
      return fc
        .array(fc.integer({ min: -size, max: size - 1 }), { minLength: count, maxLength: count })
        .map((indices) => ({
          op: "Gather",
          inputs: [x, int64(at, indices)],
          attributes: { axis: int(axis) },
          differentiable: [0],
          ...(fed ? { fed: [1] } : {}),
        }));
    }),
);

const gatherElements: Cases = shape(1, 3).chain((dims) =>
  fc
    .record({ x: tensor(dims), axis: fc.nat(dims.length - 1), length: fc.integer({ min: 1, max: 5 }) })
    .chain(({ x, axis, length }) => {
      const size = dims[axis] as number;
      const at = dims.map((dim, other) => (other === axis ? length : dim));
      return fc
        .array(fc.integer({ min: -size, max: size - 1 }), { minLength: sizeOf(at), maxLength: sizeOf(at) })
        .map((indices) => ({
          op: "GatherElements",
          inputs: [x, int64(at, indices)],
          attributes: { axis: int(axis) },
          differentiable: [0],
          fed: [1],
        }));
    }),
);

const pad: Cases = shape(1, 3).chain((dims) =>
  fc
    .record({
      x: tensor(dims),
      axes: fc.option(
        fc.subarray(
          dims.map((_, axis) => axis),
          { minLength: 1 },
        ),
      ),
      pads: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 6, maxLength: 6 }),
      mode: fc.constantFrom("constant", "constant", "edge", "reflect"),
    })
    .map(({ x, axes, pads, mode }) => {
      const count = axes?.length ?? dims.length;
      const listed = (axes ?? dims.map((_, axis) => axis)).map((axis) =>
        mode === "reflect" ? (dims[axis] as number) - 1 : 2,
      );
      const written = Array.from({ length: 2 * count }, (_, at) =>
        Math.min(pads[at] as number, listed[at % count] as number),
      );
      const inputs: (Tensor | undefined)[] = [x, int64([2 * count], written)];
      if (axes !== null) inputs.push(undefined, int64([count], axes));
      return { op: "Pad", inputs, attributes: { mode: text(mode) }, differentiable: [0] };
    }),
);

/** Operators that split tensors along an axis or join them. */
export const cuttingCases: { readonly [K in OperatorName]?: Cases } = {
  Concat: concat,
  Gather: gather,
  GatherElements: gatherElements,
  Pad: pad,
  Slice: slice,
  Split: split,
};
