import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { encodeModel } from "../../src/formats/onnx/index.ts";
import type { Model } from "../../src/graph/model.ts";
import { cnn } from "../../src/nn/cnn.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { field, isMessage, type Message, parse } from "./message.ts";

/** Notes, text, an unknown operator and a subgraph, next to a model that can grow. */
function withExtras(model: Model): Model {
  const output = model.graph.outputs[0] as Model["graph"]["outputs"][number];
  const notes = { doc: "a remark", metadata: new Map([["key", "value"]]) };
  const branch = {
    name: "branch",
    inputs: [],
    outputs: [{ name: "inner" }],
    parameters: new Map(),
    nodes: [
      { name: "n", op: "Neg", domain: "", inputs: [output.name], outputs: ["inner"], attributes: {}, notes },
    ],
  };
  const nodes: Model["graph"]["nodes"] = [
    ...model.graph.nodes,
    {
      name: "branch",
      op: "If",
      domain: "",
      inputs: ["words"],
      outputs: ["either"],
      attributes: {
        then_branch: { kind: "graph", value: branch },
        else_branch: { kind: "graph", value: { ...branch, name: "otherwise" } },
      },
    },
    { name: "odd", op: "Quux", domain: "odd", inputs: [output.name, ""], outputs: ["odd"], attributes: {} },
  ];
  const words = { dtype: "string", dims: [3], data: Uint32Array.of(0, 1, 0), strings: ["a", "b"] } as const;
  const parameters = new Map([...model.graph.parameters, ["words", words]]);
  return {
    ...model,
    doc: "documentation",
    opsets: new Map([...model.opsets, ["odd", 1]]),
    metadata: new Map([["key", "value"]]),
    graph: { ...model.graph, nodes, parameters, notes },
  };
}

/** The last Relu as a call of a function that contains it. */
function withFunction(model: Model): Message {
  const tree = parse(encodeModel(model), "Model");
  const graph = tree.entries.find((entry) => entry.number === 7)?.value as Message;
  const relu = graph.entries
    .map(({ value }) => value)
    .filter(isMessage)
    .findLast(({ entries }) => entries.some(({ value }) => value === "Relu")) as Message;
  relu.entries = [...relu.entries.filter((entry) => entry.number < 3), field(4, "MyRelu"), field(7, "local")];
  const body: Message = { type: "Node", entries: [field(1, "a"), field(2, "b"), field(4, "Relu")] };
  const opset = (domain: string, version: bigint): Message => ({
    type: "Opset",
    entries: [field(1, domain), field(2, version)],
  });
  const callee: Message = {
    type: "Function",
    entries: [
      field(1, "MyRelu"),
      field(4, "a"),
      field(5, "b"),
      field(7, body),
      field(9, opset("", 20n)),
      field(10, "local"),
    ],
  };
  tree.entries.push(field(8, opset("local", 1n)), field(25, callee));
  return tree;
}

/** Small models of every kind that the reader supports, as trees. */
export const seeds: readonly Message[] = [
  ...[
    mlp([3, 4, 2]),
    mlp([3, 4, 4, 2], { batchNorm: true, dropout: 0.5, activation: "gelu" }),
    cnn({ input: [1, 8, 8], filters: [2, 3], hidden: [4], classes: 2 }),
    cnn({ input: [2, 4, 4], filters: [3], classes: 2, batchNorm: true }),
    withExtras(mlp([3, 4, 2])),
    { ...mlp([3, 4, 2]), irVersion: 3 },
  ].map((model) => parse(encodeModel(model), "Model")),
  withFunction(mlp([3, 4, 2])),
];

/** Larger files would mostly spend time on their weights. */
const maxBytes = 65_536;

/** The small ONNX files of a folder, as trees. */
export function seedsFrom(folder: string): readonly Message[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".onnx"))
    .sort()
    .map((name) => readFileSync(join(folder, name)))
    .filter((bytes) => bytes.length <= maxBytes)
    .map((bytes) => parse(bytes, "Model"));
}
