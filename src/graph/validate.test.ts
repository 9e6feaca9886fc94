import { describe, expect, test } from "vitest";
import { type Graph, type Model, makeModel, type Node } from "./model.ts";
import { validateModel } from "./validate.ts";

const value = (name: string) => ({ name, dtype: "float32", shape: [1] }) as const;

const node = (name: string, inputs: string[], outputs: string[], extra: Partial<Node> = {}): Node => ({
  name,
  op: "Op",
  domain: "",
  inputs,
  outputs,
  attributes: {},
  ...extra,
});

const graphOf = (nodes: Node[], outputs: string[], inputs = ["x"]): Graph => ({
  name: "g",
  inputs: inputs.map(value),
  outputs: outputs.map(value),
  nodes,
  parameters: new Map([["w", { dtype: "float32", dims: [1], data: new Float32Array(1) }]]),
});

const inner = (nodes: Node[], outputs: string[], inputs: string[] = []): Partial<Node> => ({
  attributes: {
    body: { kind: "graph", value: { ...graphOf(nodes, outputs, inputs), parameters: new Map() } },
  },
});

describe("a valid model", () => {
  test.each<[string, Graph]>([
    ["a chain, with omitted inputs and outputs", graphOf([node("a", ["x", "", "w"], ["y", ""])], ["y"])],
    ["an input handed straight out", graphOf([], ["x"])],
    [
      "a subgraph that uses outer values",
      graphOf(
        [node("a", ["x"], ["y"]), node("b", [], ["z"], inner([node("c", ["y"], ["t"])], ["t"]))],
        ["z"],
      ),
    ],
    [
      "two subgraphs with the same inner names",
      graphOf(
        [
          node("a", [], ["y"], inner([node("c", ["x"], ["t"])], ["t"])),
          node("b", [], ["z"], inner([node("c", ["x"], ["t"])], ["t"])),
        ],
        ["y", "z"],
      ),
    ],
  ])("may be %s", (_, graph) => {
    expect(() => validateModel(makeModel(graph))).not.toThrow();
  });
});

describe("a model is refused for", () => {
  test.each<[string, Graph, RegExp]>([
    [
      "nodes out of order",
      graphOf([node("a", ["t"], ["y"]), node("b", ["x"], ["t"])], ["y"]),
      /topological order.*"b"/,
    ],
    ["a node that needs itself", graphOf([node("a", ["y"], ["y"])], ["y"]), /its own output/],
    ["an input from nowhere", graphOf([node("a", ["nowhere"], ["y"])], ["y"]), /every input must be/],
    [
      "a value defined by two nodes",
      graphOf([node("a", ["x"], ["y"]), node("b", ["x"], ["y"])], ["y"]),
      /once/,
    ],
    ["one node with two equal outputs", graphOf([node("a", ["x"], ["y", "y"])], ["y"]), /once/],
    ["an input that is a parameter too", graphOf([], ["x"], ["x", "w"]), /once/],
    ["two equal inputs", graphOf([], ["x"], ["x", "x"]), /once/],
    ["an input without a name", graphOf([], ["x"], ["x", ""]), /needs a name/],
    ["an output that nothing computes", graphOf([], ["y"]), /not computed/],
    ["an output listed twice", graphOf([], ["x", "x"]), /listed twice/],
    [
      "a domain without an opset",
      graphOf([node("a", ["x"], ["y"], { domain: "my" })], ["y"]),
      /opset import/,
    ],
    [
      "a subgraph that hides an outer value",
      graphOf([node("a", [], ["y"], inner([node("c", ["x"], ["w"])], ["w"]))], ["y"]),
      /once/,
    ],
    [
      "inner values used outside",
      graphOf(
        [node("a", [], ["y"], inner([node("c", ["x"], ["t"])], ["t"])), node("b", ["t"], ["z"])],
        ["z"],
      ),
      /every input must be/,
    ],
    [
      "a subgraph that uses a later value",
      graphOf(
        [node("a", [], ["y"], inner([node("c", ["z"], ["t"])], ["t"])), node("b", ["x"], ["z"])],
        ["y"],
      ),
      /every input must be/,
    ],
  ])("%s", (_, graph, rule) => {
    expect(() => validateModel(makeModel(graph))).toThrow(rule);
  });

  test("opsets that are missing or impossible", () => {
    const model = (opsets: [string, number][]): Model => ({
      ...makeModel(graphOf([], ["x"])),
      opsets: new Map(opsets),
    });
    expect(() => validateModel(model([]))).toThrow(/operator sets that it uses/);
    expect(() => validateModel(model([["my", 1]]))).not.toThrow();
    expect(() => validateModel(model([["", 0]]))).toThrow(/positive integer/);
  });
});
