import { expect, test } from "vitest";
import { newGraph } from "../ops/index.ts";
import type { Node } from "./model.ts";

const relu = (name: string, input: string, output: string): Node => ({
  name,
  op: "Relu",
  domain: "",
  inputs: [input],
  outputs: [output],
  attributes: {},
});

test("emitted names differ from all values and nodes of the graph, and from those still to be written", () => {
  const graph = newGraph();
  graph.input("x", { dtype: "float32", shape: ["batch", 2] });
  graph.add(relu("Relu_0", "x", "a"));
  graph.reserveAll({ inputs: [], parameters: new Map(), nodes: [relu("Relu_1", "a", "Relu_2")] });
  expect(graph.emit("Relu", ["a"])).toBe("Relu_3");
});

test("a nested builder sees the values around it, and keeps its names apart", () => {
  const graph = newGraph();
  graph.input("x", { dtype: "float32", shape: ["batch", 2] });
  const inner = graph.nested("body.");
  expect(inner.emit("Relu", ["x"])).toBe("body.Relu_0");
  expect(inner.typeOf("x").shape).toEqual(["batch", 2]);
  expect(graph.has("body.Relu_0")).toBe(false);
});
