import fc from "fast-check";
import { int, ints, text } from "../../src/graph/model.ts";
import type { OperatorName } from "../../src/ops/index.ts";
import { int64, sizeOf, type Tensor } from "../../src/tensor/tensor.ts";
import { type Cases, seed, shape, tensor } from "./case-arbitraries.ts";
import { randomTensor } from "./gradient-harness.ts";

const small = (low: number, high: number) => fc.integer({ min: low, max: high });

const gatherNd: Cases = fc
  .record({
    batch: fc.array(small(1, 2), { maxLength: 1 }),
    lead: fc.array(small(1, 3), { maxLength: 2 }),
    // Equal sizes, so that any index fits anywhere.
    looked: fc.tuple(small(1, 3), small(1, 2)).map(([size, count]) => new Array<number>(count).fill(size)),
    rest: fc.array(small(1, 3), { maxLength: 2 }),
    fed: fc.boolean(),
  })
  .chain(({ batch, lead, looked, rest, fed }) => {
    const places = [...batch, ...lead].reduce((product, size) => product * size, 1);
    const place = fc.tuple(...looked.map((size) => small(-size, size - 1)));
    const chosen = fc.array(place, { minLength: places, maxLength: places });
    return fc.tuple(tensor([...batch, ...looked, ...rest]), chosen).map(([data, indices]) => ({
      op: "GatherND",
      inputs: [data, int64([...batch, ...lead, looked.length], indices.flat())],
      attributes: { batch_dims: int(batch.length) },
      differentiable: [0],
      // The last size of the indices is the number of indexed axes.
      ...(fed ? { fed: [1], numeric: [1] } : {}),
    }));
  });

const depthToSpace = (mode: "DCR" | "CRD"): Cases =>
  fc
    .record({ dims: fc.array(small(1, 3), { minLength: 4, maxLength: 4 }), block: small(1, 3) })
    .chain(({ dims: [batch = 1, channels = 1, ...space], block }) =>
      tensor([batch, channels * block * block, ...space]).map((x) => ({
        op: "DepthToSpace",
        inputs: [x],
        attributes: { blocksize: int(block), mode: text(mode) },
        differentiable: [0],
        // A symbolic size does not show whether it is a multiple.
        numeric: [0],
      })),
    );

const how = fc.constantFrom("none", "add", "max", "min");
const range = (size: number) => Array.from({ length: size }, (_, at) => at);

/** A tensor of shape `dims` whose lines along an axis are the given ones. */
function alongAxis(dims: readonly number[], axis: number, lines: readonly (readonly number[])[]): number[] {
  const inner = sizeOf(dims.slice(axis + 1));
  const length = dims[axis] as number;
  return Array.from({ length: sizeOf(dims) }, (_, at) => {
    const line = Math.floor(at / (inner * length)) * inner + (at % inner);
    return lines[line]?.[Math.floor(at / inner) % length] as number;
  });
}

/** MaxUnpool of [N, C, 2, 3] by tiles of 2×2, each element to some place of its own tile; `wider` asks for a larger output. */
const maxUnpool: Cases = fc
  .record({ batch: small(1, 2), channels: small(1, 3), wider: fc.boolean(), from: seed })
  .chain(({ batch, channels, wider, from }) => {
    const dims = [batch, channels, 2, 3];
    const [rows, columns] = wider ? [5, 7] : [4, 6];
    const taps = fc.array(fc.nat(3), { minLength: sizeOf(dims), maxLength: sizeOf(dims) });
    return taps.map((chosen) => {
      const places = chosen.map((tap, at) => {
        const [plane, row, column] = [Math.floor(at / 6), Math.floor(at / 3) % 2, at % 3];
        return (plane * rows + 2 * row + (tap >> 1)) * columns + 2 * column + (tap & 1);
      });
      const size = batch * channels * rows * columns;
      return {
        op: "MaxUnpool",
        inputs: [
          randomTensor(from, dims),
          int64(dims, places),
          ...(wider ? [int64([4], [batch, channels, rows, columns])] : []),
        ],
        attributes: { kernel_shape: ints([2, 2]), strides: ints([2, 2]) },
        differentiable: [0],
        fed: [1],
        numeric: [0, 1],
        exact: ([x]: readonly (Tensor | undefined)[]) => {
          const data = new Float64Array(size);
          places.forEach((place, at) => {
            data[place] = Number(x?.data[at]);
          });
          return { dtype: "float64" as const, dims: [batch, channels, rows, columns], data };
        },
      };
    });
  });

/** Output of OneHot in float64. */
function marked(
  at: readonly number[],
  indices: readonly number[],
  depth: number,
  front: boolean,
  values: Tensor,
): Tensor {
  const data = new Float64Array(indices.length * depth).fill(Number(values.data[0]));
  indices.forEach((index, place) => {
    const mark = (index + depth) % depth;
    data[front ? mark * indices.length + place : place * depth + mark] = Number(values.data[1]);
  });
  return { dtype: "float64", dims: front ? [depth, ...at] : [...at, depth], data };
}

/** Operators that move, pick and slice elements. */
export const movingCases: { readonly [K in OperatorName]?: Cases } = {
  DepthToSpace: fc.oneof(depthToSpace("DCR"), depthToSpace("CRD")),
  GatherND: gatherNd,
  MaxUnpool: maxUnpool,
  OneHot: fc
    .record({ at: shape(1, 2), depth: small(1, 4), from: seed, front: fc.boolean() })
    .chain(({ at, depth, from, front }) =>
      fc.array(small(-depth, depth - 1), { minLength: sizeOf(at), maxLength: sizeOf(at) }).map((indices) => ({
        op: "OneHot",
        inputs: [int64(at, indices), int64([], [depth]), randomTensor(from, [2])],
        attributes: { axis: int(front ? 0 : -1) },
        differentiable: [2],
        fed: [0],
        numeric: [2],
        exact: ([, , values]: readonly (Tensor | undefined)[]) =>
          marked(at, indices, depth, front, values as Tensor),
      })),
    ),
  ScatterElements: shape(1, 3).chain((dims) =>
    fc
      .record({ x: tensor(dims), axis: fc.nat(dims.length - 1), length: small(1, 5), how, from: seed })
      .chain(({ x, axis, length, how: reduction, from }) => {
        const size = dims[axis] as number;
        // Without a reduction no place may be written twice.
        const count = reduction === "none" ? Math.min(length, size) : length;
        const at = dims.map((dim, other) => (other === axis ? count : dim));
        const lines = sizeOf(at) / count;
        const line =
          reduction === "none"
            ? fc.shuffledSubarray(range(size), { minLength: count, maxLength: count })
            : fc.array(small(-size, size - 1), { minLength: count, maxLength: count });
        return fc.array(line, { minLength: lines, maxLength: lines }).map((chosen) => ({
          op: "ScatterElements",
          inputs: [x, int64(at, alongAxis(at, axis, chosen)), randomTensor(from, at)],
          attributes: { axis: int(axis), reduction: text(reduction) },
          differentiable: reduction === "none" || reduction === "add" ? [0, 2] : [],
          fed: [1],
        }));
      }),
  ),
  ScatterND: fc
    .record({ size: small(1, 5), inner: shape(0, 2), count: small(1, 4), how, from: seed })
    .chain(({ size, inner, count, how: reduction, from }) => {
      const once = { minLength: Math.min(count, size), maxLength: Math.min(count, size) };
      const rows =
        reduction === "none"
          ? fc.shuffledSubarray(range(size), once)
          : fc.array(small(0, size - 1), { minLength: count, maxLength: count });
      return rows.map((chosen) => ({
        op: "ScatterND",
        inputs: [
          randomTensor(from, [size, ...inner]),
          int64([chosen.length, 1], chosen),
          randomTensor(from + 1, [chosen.length, ...inner]),
        ],
        attributes: { reduction: text(reduction) },
        differentiable: reduction === "none" || reduction === "add" ? [0, 2] : [],
      }));
    }),
  SpaceToDepth: fc
    .record({ dims: fc.array(small(1, 3), { minLength: 4, maxLength: 4 }), block: small(1, 3) })
    .chain(({ dims: [batch = 1, channels = 1, height = 1, width = 1], block }) =>
      tensor([batch, channels, height * block, width * block]).map((x) => ({
        op: "SpaceToDepth",
        inputs: [x],
        attributes: { blocksize: int(block) },
        differentiable: [0],
        numeric: [0],
      })),
    ),
  TopK: shape(1, 3).chain((dims) =>
    fc
      .record({
        x: tensor(dims),
        axis: fc.nat(dims.length - 1),
        left: small(0, 2),
        largest: small(0, 1),
      })
      .map(({ x, axis, left, largest }) => ({
        op: "TopK",
        inputs: [x, int64([1], [Math.max(1, (dims[axis] as number) - left)])],
        attributes: { axis: int(axis), largest: int(largest) },
        differentiable: [0],
        outputs: 2,
      })),
  ),
  Trilu: shape(2, 4).chain((dims) =>
    fc.tuple(tensor(dims), fc.option(small(-3, 3)), fc.boolean()).map(([x, diagonal, upper]) => ({
      op: "Trilu",
      inputs: [x, ...(diagonal === null ? [] : [int64([], [diagonal])])],
      attributes: { upper: int(Number(upper)) },
      differentiable: [0],
    })),
  ),
};
