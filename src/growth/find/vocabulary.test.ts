import { expect, test } from "vitest";
import { int, makeModel } from "../../graph/model.ts";
import { newGraph } from "../../ops/index.ts";
import { full, int64 } from "../../tensor/tensor.ts";
import { grow } from "../grow/grow-model.ts";
import { vocabularies } from "./vocabulary.ts";

/**
 * Words, their kinds and their positions, added: [batch, seq, 4]; a class for each word if `classes` is set.
 */
function encoder(classes: number) {
  const graph = newGraph();
  const shape = ["batch", "seq"];
  const words = graph.input("words", { dtype: "int64", shape });
  const kinds = graph.input("kinds", { dtype: "int32", shape });
  const table = (name: string, rows: number) => graph.parameter(name, full([rows, 4], 0.5));
  const seq = graph.emit("Gather", [graph.emit("Shape", [words]), graph.parameter("one", int64([], [1]))]);
  const places = graph.emit("Range", [
    graph.parameter("from", int64([], [0])),
    seq,
    graph.parameter("by", int64([], [1])),
  ]);
  const flat = graph.emit("Cast", [graph.emit("Unsqueeze", [words, graph.vector([0])])], { to: int(6) });
  const looked = [
    graph.emit("Squeeze", [graph.emit("Gather", [table("word", 9), flat]), graph.vector([0])]),
    graph.emit("Gather", [table("kind", 2), kinds]),
    graph.emit("Gather", [table("place", 16), places]),
  ] as const;
  const sum = graph.emit("Add", [graph.emit("Add", [looked[0], looked[1]]), looked[2]]);
  graph.output(graph.emit("MatMul", [sum, graph.parameter("head", full([4, classes], 0.5))]));
  return makeModel(graph.build("encoder"));
}

test("a vocabulary is what an input's own integers look up, whatever nodes pass them on", () => {
  const found = vocabularies(encoder(9)).map(({ id, size, tables, heads }) => [
    id,
    size,
    tables.map((width) => width.id),
    heads.length,
  ]);
  expect(found).toEqual([
    ["words", 9, ["word"], 1],
    ["kinds", 2, ["kind"], 0],
  ]);
});

test("it must be named only if no output shows which is meant", () => {
  const grown = grow(encoder(9), [{ vocabulary: undefined, by: 3 }]).model.graph;
  expect([grown.parameters.get("word")?.dims, grown.parameters.get("head")?.dims]).toEqual([
    [12, 4],
    [4, 12],
  ]);
  expect(() => grow(encoder(5), [{ vocabulary: undefined, by: 3 }])).toThrow(
    expect.objectContaining({ code: "UNKNOWN_WIDTH" }),
  );
  const named = grow(encoder(5), [{ vocabulary: "kinds", to: 4 }]).model.graph.parameters;
  expect([named.get("word")?.dims[0], named.get("kind")?.dims[0], named.get("head")?.dims[1]]).toEqual([
    9, 4, 5,
  ]);
});

test("new rows are as large as the old ones, in the table and in the head", () => {
  const { graph } = encoder(9);
  const model = makeModel({
    ...graph,
    parameters: new Map([...graph.parameters, ["word", full([9, 4], 20)], ["head", full([4, 9], 0.01)]]),
  });
  const grown = grow(model, [{ vocabulary: "words", by: 400 }]).model.graph.parameters;
  const spread = (values: readonly number[]) =>
    Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
  const rows = Array.from(grown.get("word")?.data as Float32Array).slice(36);
  const columns = Array.from(grown.get("head")?.data as Float32Array).filter((_, at) => at % 409 >= 9);
  // 1,600 draws: four deviations of their root mean square are 7 %.
  expect(Math.abs(spread(rows) / 20 - 1)).toBeLessThan(0.07);
  expect(Math.abs(spread(columns) / 0.01 - 1)).toBeLessThan(0.07);
});
