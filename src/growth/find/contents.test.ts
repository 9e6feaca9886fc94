import { describe, expect, test } from "vitest";
import type { GraphBuilder } from "../../graph/builder.ts";
import { int, ints, makeModel } from "../../graph/model.ts";
import { newGraph } from "../../ops/index.ts";
import { float32, full } from "../../tensor/tensor.ts";
import { findWidths } from "./widths.ts";

const widthsOf = (build: (graph: GraphBuilder) => string) => {
  const graph = newGraph();
  graph.output(build(graph));
  return findWidths(makeModel(graph.build("model")));
};

const input = (graph: GraphBuilder) => graph.input("x", { dtype: "float32", shape: ["batch", 3, 5] });
const mean = (graph: GraphBuilder, of: string) =>
  graph.emit("ReduceMean", [of, graph.vector([-1])], { keepdims: int(1) });

describe("fused queries and keys, whose new keys are zero", () => {
  /** One weight for both, each rotated by tables as in rotary embeddings: [batch, 3, 4] twice. */
  const rotary = (bias: readonly number[]) => (graph: GraphBuilder) => {
    const weight = graph.parameter("fused.weight", full([5, 8], 0.5));
    const added = graph.parameter("fused.bias", float32([bias.length], bias));
    const both = graph.emit("Add", [graph.emit("MatMul", [input(graph), weight]), added]);
    const parts = graph.emitAll("Split", [both], 2, { axis: int(-1), num_outputs: int(2) });
    const [queries, keys] = parts.map((part, at) => {
      const [first, second] = graph.emitAll("Split", [part], 2, { axis: int(-1), num_outputs: int(2) });
      const turned = graph.emit("Concat", [graph.emit("Neg", [second as string]), first as string], {
        axis: int(-1),
      });
      const table = (name: string) => graph.parameter(`${name}${at}`, full([4], 0.5));
      const [straight, across] = [
        graph.emit("Mul", [part, table("cos")]),
        graph.emit("Mul", [turned, table("sin")]),
      ];
      return graph.emit("Add", [straight, across]);
    }) as [string, string];
    const turned = graph.emit("Transpose", [keys], { perm: ints([0, 2, 1]) });
    return graph.emit("MatMul", [queries, turned]);
  };

  test("they grow if the bias is theirs alone", () => {
    const [width] = widthsOf(rotary(Array.from({ length: 8 }, () => 1)));
    expect(width).toMatchObject({ growable: true, method: "zero keys" });
  });

  test("a number added to all of them makes new keys nonzero, whatever tables they are combined with", () => {
    expect(widthsOf(rotary([1])).filter(({ growable }) => growable)).toEqual([]);
  });
});

describe("one vector before and after a LayerNorm written out as nodes", () => {
  const normalized = (shared: boolean) => (graph: GraphBuilder) => {
    const bias = (name: string) => graph.parameter(name, full([4], 0.5));
    const [before, behind] = shared
      ? [bias("both"), "both"]
      : [bias("hidden.bias"), graph.parameter("offset", full([4], 0.5))];
    const product = graph.emit("MatMul", [input(graph), graph.parameter("hidden.weight", full([5, 4], 0.5))]);
    const hidden = graph.emit("Add", [product, before]);
    const centred = graph.emit("Sub", [hidden, mean(graph, hidden)]);
    const variance = mean(graph, graph.emit("Mul", [centred, centred]));
    const root = graph.emit("Sqrt", [graph.emit("Add", [variance, graph.scalar(1e-5)])]);
    const shifted = graph.emit("Add", [graph.emit("Div", [centred, root]), behind]);
    return graph.emit("MatMul", [shifted, graph.parameter("output.weight", full([4, 2], 0.5))]);
  };

  test("two vectors: a mean before, anything after", () => {
    const [width] = widthsOf(normalized(false));
    expect(width).toMatchObject({ id: "hidden", growable: true, method: "mean padding" });
    const fills = Object.fromEntries(width?.parts.map(({ parameter, fill }) => [parameter, fill]) ?? []);
    expect(fills).toMatchObject({ "hidden.bias": "mean", offset: "offset" });
  });

  test("the same vector is no longer a mean once it is an offset", () => {
    const [width] = widthsOf(normalized(true));
    expect(width).toMatchObject({ id: "hidden", growable: true, method: "copies" });
  });
});

test("parts of a fused weight that is sliced unevenly grow separately", () => {
  const widths = widthsOf((graph) => {
    const fused = graph.emit("MatMul", [input(graph), graph.parameter("fused.weight", full([5, 12], 0.5))]);
    const outputs = [
      [0, 3],
      [3, 8],
      [8, 12],
    ].map(([from = 0, to = 0], at) => {
      const ends = [from, to, -1].map((value) => graph.vector([value]));
      const part = graph.emit("Relu", [graph.emit("Slice", [fused, ...ends])]);
      return graph.emit("MatMul", [part, graph.parameter(`output${at}.weight`, full([to - from, 2], 0.5))]);
    });
    return graph.emit("Sum", outputs);
  });
  expect(widths.filter(({ growable }) => growable).map(({ size }) => size)).toEqual([3, 5, 4]);
});
