import { describe, expect, test } from "vitest";
import { dataset } from "../../src/data/dataset.ts";
import type { GraphBuilder } from "../../src/graph/builder.ts";
import { unitPositions } from "../../src/graph/layout.ts";
import { int, ints, type Model, makeModel } from "../../src/graph/model.ts";
import { findWidths, widthOf } from "../../src/growth/find/widths.ts";
import type { WidthPart } from "../../src/growth/plan/width.ts";
import { newGraph } from "../../src/ops/index.ts";
import { type Tensor, toNumbers } from "../../src/tensor/tensor.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";
import { normalFeatures } from "./exact-network.ts";

const [positions, features, heads, size] = [3, 5, 2, 4];

/** Ways in which attention is exported. */
interface Export {
  readonly weights: "fused on an axis" | "fused head by head" | "fused and split" | "three";
  /** The operator that takes them from that axis. */
  readonly by?: "Gather" | "Slice" | "Split";
  /** Queries and keys are rotated by the same two tables, computed from one parameter. */
  readonly rotary?: boolean;
  /** 1/√(size of a head) is computed from a Shape. */
  readonly computedScale?: boolean;
}

/** [batch, positions, features] to [batch, positions, 2] by one layer of attention. */
function attention({ weights, by = "Gather", rotary = false, computedScale = false }: Export): Model {
  const graph = newGraph();
  const number = (value: number) =>
    graph.parameter(`position${value}`, { dtype: "int64", dims: [], data: BigInt64Array.of(BigInt(value)) });
  const linear = (name: string, from: string, rows: number, columns: number) => {
    const weight = graph.parameter(`${name}.weight`, normalFeatures([rows, columns], name.length + rows));
    const bias = graph.parameter(`${name}.bias`, normalFeatures([columns], 3 + name.length));
    return graph.emit("Add", [graph.emit("MatMul", [from, weight]), bias]);
  };
  const reshaped = (x: string, ...dims: number[]) => graph.emit("Reshape", [x, graph.vector(dims)]);
  const x = graph.input("x", { dtype: "float32", shape: ["batch", positions, features] });
  const all = heads * size;
  const fused = () => linear("fused", x, features, 3 * all);
  const parts = {
    three: () => ["queries", "keys", "values"].map((name) => linear(name, x, features, all)),
    "fused and split": () =>
      graph.emitAll("Split", [fused(), graph.vector([all, all, all])], 3, { axis: int(-1) }),
    "fused head by head": () => {
      const turned = graph.emit("Transpose", [reshaped(fused(), 0, 0, heads, 3, size)], {
        perm: ints([3, 0, 1, 2, 4]),
      });
      return [0, 1, 2].map((at) => graph.emit("Gather", [turned, number(at)], { axis: int(0) }));
    },
    // The form in which torch.nn.MultiheadAttention is exported.
    "fused on an axis": () => {
      const outside = graph.emit("Unsqueeze", [reshaped(fused(), 0, 0, 3, all), graph.vector([0])]);
      const first = graph.emit("Transpose", [outside], { perm: ints([3, 1, 2, 0, 4]) });
      const squeezed = graph.emit("Squeeze", [first, graph.vector([-2])]);
      if (by === "Gather")
        return [0, 1, 2].map((at) => graph.emit("Gather", [squeezed, number(at)], { axis: int(0) }));
      const single =
        by === "Split"
          ? graph.emitAll("Split", [squeezed], 3, { axis: int(0), num_outputs: int(3) })
          : [0, 1, 2].map((at) =>
              graph.emit("Slice", [squeezed, ...[at, at + 1, 0].map((place) => graph.vector([place]))]),
            );
      return single.map((part) => graph.emit("Squeeze", [part, graph.vector([0])]));
    },
  }[weights]();
  const apart = parts.map((part) => {
    const folded = weights === "fused head by head" ? part : reshaped(part, 0, 0, heads, size);
    return graph.emit("Transpose", [folded], { perm: ints([0, 2, 1, 3]) });
  });
  const tables = rotary ? tablesOf(graph) : undefined;
  const [q, k, v] = apart.map((part, at) => (tables && at < 2 ? turn(graph, part, tables) : part)) as [
    string,
    string,
    string,
  ];
  const product = graph.emit("MatMul", [q, graph.emit("Transpose", [k], { perm: ints([0, 1, 3, 2]) })]);
  const last = () => graph.emit("Gather", [graph.emit("Shape", [q]), number(-1)], { axis: int(0) });
  const divisor = computedScale
    ? graph.emit("Sqrt", [graph.emit("Cast", [last()], { to: int(1) })])
    : graph.scalar(Math.sqrt(size));
  const shares = graph.emit("Softmax", [graph.emit("Div", [product, divisor])], { axis: int(-1) });
  const met = graph.emit("Transpose", [graph.emit("MatMul", [shares, v])], { perm: ints([0, 2, 1, 3]) });
  graph.output(linear("out", reshaped(met, 0, 0, all), all, 2));
  return makeModel(graph.build("attention"));
}

function tablesOf(graph: GraphBuilder): readonly [string, string] {
  const frequencies = graph.parameter("frequencies", normalFeatures([1, size / 2], 1));
  const places = graph.parameter("places", normalFeatures([positions, 1], 2));
  const half = graph.emit("Mul", [places, frequencies]);
  const angles = graph.emit("Concat", [half, half], { axis: int(-1) });
  return [graph.emit("Cos", [angles]), graph.emit("Sin", [angles])];
}

function turn(graph: GraphBuilder, x: string, [cosines, sines]: readonly [string, string]): string {
  const slice = (from: number, to: number) =>
    graph.emit("Slice", [x, ...[from, to, -1].map((value) => graph.vector([value]))]);
  const [first, second] = [slice(0, size / 2), slice(size / 2, 2 ** 31 - 1)];
  const turned = graph.emit("Concat", [graph.emit("Neg", [second]), first], { axis: int(-1) });
  return graph.emit("Add", [graph.emit("Mul", [x, cosines]), graph.emit("Mul", [turned, sines])]);
}

const forms: readonly Export[] = [
  { weights: "three" },
  { weights: "three", computedScale: true },
  { weights: "three", rotary: true },
  { weights: "fused and split", rotary: true },
  { weights: "fused head by head" },
  { weights: "fused on an axis" },
  { weights: "fused on an axis", by: "Slice" },
  { weights: "fused on an axis", by: "Split" },
  { weights: "fused on an axis", computedScale: true },
];

/** The width over which queries and keys are multiplied. */
function dimensionOf(model: Model) {
  const found = findWidths(model).filter(
    ({ unit, growable }) => growable && unit === "query and key dimension",
  );
  expect(found.map(({ method }) => method)).toEqual(["zero keys"]);
  return found[0] as (typeof found)[number];
}

/** Entries of the new slices of one parameter. */
function newEntries(tensor: Tensor, { axis, layout }: WidthPart, from: number, to: number): number[] {
  const { perUnit, positions } = unitPositions(layout, to);
  const fresh = new Set(positions.subarray(from * perUnit));
  const inner = tensor.dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  const length = tensor.dims[axis] as number;
  return toNumbers(tensor).filter((_, index) => fresh.has(Math.floor(index / inner) % length));
}

describe("new dimensions of queries and keys", () => {
  test.each(forms)("are zero on one side, and that side learns: %o", async (form) => {
    const model = attention(form);
    const { id, size: from } = dimensionOf(model);
    const trainer = await Trainer.create(model, { loss: "meanSquaredError", seed: 3 });
    const data = dataset({
      features: normalFeatures([8, positions, features], 5).data,
      featureDims: [positions, features],
      targets: normalFeatures([8, positions, 2], 6).data,
      targetDims: [positions, 2],
    });
    try {
      const record = await trainer.widen(id, { by: 2 });
      expect(record.output.preserved).toBe(true);
      const width = widthOf(trainer.widths, id);
      const making = width.parts.filter(({ role }) => role === "incoming");
      const at = (part: WidthPart) =>
        newEntries(trainer.model.graph.parameters.get(part.parameter) as Tensor, part, from, width.size);
      const before = making.map(at);
      await trainer.trainStep(data);
      const zeros = before
        .flatMap((values, part) => values.map((value, entry) => ({ value, part, entry })))
        .filter(({ value }) => value === 0);
      expect(before.flat().some((value) => value !== 0)).toBe(true);
      const after = making.map(at);
      const moved = zeros.filter(({ part, entry }) => after[part]?.[entry] !== 0);
      // Two new units in every head; rotary ones are pairs of positions.
      expect(moved.length).toBe(features * heads * 2 * (form.rotary ? 2 : 1));
      expect(zeros.length).toBe(moved.length);
      for (const { dead, gradientNorm } of record.newUnits) {
        expect(dead).toBe(false);
        expect(gradientNorm).toBeGreaterThan(0);
      }
    } finally {
      await trainer.dispose();
    }
  });
});

test("if the two sides cannot be distinguished they are refused, not filled with zeros on both", () => {
  const graph = newGraph();
  const x = graph.input("x", { dtype: "float32", shape: ["batch", positions, features] });
  const both = graph.emit("MatMul", [x, graph.parameter("both.weight", normalFeatures([features, 4], 1))]);
  const product = graph.emit("MatMul", [both, graph.emit("Transpose", [both], { perm: ints([0, 2, 1]) })]);
  graph.output(product);
  const [width] = findWidths(makeModel(graph.build("gram")));
  expect(width).toMatchObject({ size: 4, growable: false });
});
