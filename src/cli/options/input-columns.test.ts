import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runCli, withFolder } from "../../../test/cli-harness.ts";
import { dataset } from "../../data/dataset.ts";
import type { Value } from "../../graph/model.ts";
import { int, makeModel } from "../../graph/model.ts";
import { saveModel } from "../../models/model-file.ts";
import { newGraph } from "../../ops/index.ts";
import { Random } from "../../tensor/random.ts";
import { float32 } from "../../tensor/tensor.ts";
import { columnsForInputs } from "./input-columns.ts";

const inputs: readonly Value[] = [
  { name: "word", dtype: "int64", shape: ["batch"] },
  { name: "seen", dtype: "bool", shape: ["batch", 1] },
  { name: "place", dtype: "float32", shape: ["batch", 2] },
  { name: "rest", dtype: "float32", shape: ["batch", 3] },
];
const names = ["a", "place.0", "word", "b", "seen", "place.1", "c"];
const rows = [
  [1, 2, 3, 4, 1, 6, 7],
  [8, 9, 10, 11, 0, 13, 14],
];
const data = (featureNames: readonly string[] | undefined, values = rows) =>
  dataset({
    name: "table",
    features: values.flat(),
    count: values.length,
    labels: values.map((_, at) => at % 2),
    ...(featureNames === undefined ? {} : { featureNames }),
  });

test("columns go to the inputs with their names, the rest to the one without", () => {
  const { inputs: made, features, featureDims } = columnsForInputs(data(names), inputs);
  expect(made).toEqual({
    word: { data: BigInt64Array.of(3n, 10n), dims: [] },
    seen: { data: Uint8Array.of(1, 0), dims: [1] },
    place: { data: Float32Array.of(2, 6, 9, 13), dims: [2] },
  });
  expect([...features]).toEqual([1, 4, 7, 8, 11, 14]);
  expect(featureDims).toEqual([3]);
});

test("any number of numbered columns, if the model leaves the size open", () => {
  const tokens = [{ name: "ids", dtype: "int64", shape: ["batch", "sequence"] }] as const;
  const ids = data(
    ["ids_0", "ids_1", "ids_2"],
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
  );
  expect(columnsForInputs(ids, tokens).inputs?.ids).toEqual({
    data: BigInt64Array.of(1n, 2n, 3n, 4n, 5n, 6n),
    dims: [3],
  });
});

test.each([
  [
    "columns without names",
    data(undefined),
    /columns for the inputs "word", "seen", "place", "rest".*columns without names/s,
  ],
  ["an integer input without a column", data(names.with(2, "d")), /columns for the inputs "word", "rest"/],
  ["too few numbered columns", data(names.with(5, "d")), /shape \[2\] of input "place"/],
  [
    "numbered columns for all",
    data(names.with(6, "rest.2").with(0, "rest.0").with(3, "rest.1"), rows),
    undefined,
  ],
  [
    "a fraction for an integer",
    data(names, [[1, 2, 3.5, 4, 1, 6, 7]]),
    /whole numbers from -16777216 to 16777216/,
  ],
  ["a truth value of 2", data(names, [[1, 2, 3, 4, 2, 6, 7]]), /whole numbers from 0 to 1/],
] as const)("%s", (_, table, message) => {
  const act = () => columnsForInputs(table, inputs);
  if (message === undefined) expect(act().features.length).toBe(0);
  else expect(act).toThrow(message);
});

test("columns without an input are named", () => {
  const act = () => columnsForInputs(data(names), inputs.slice(0, 3));
  expect(act).toThrow(/must have only columns for inputs of the model.*a.*b.*c/s);
});

/** scores = [embedding(word), place] · W */
function twoInputs() {
  const graph = newGraph();
  const random = new Random(1, "two inputs");
  const drawn = (dims: readonly number[]) =>
    float32(
      dims,
      Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.normal()),
    );
  const word = graph.input("word", { dtype: "int64", shape: ["batch"] });
  const place = graph.input("place", { dtype: "float32", shape: ["batch", 2] });
  const found = graph.emit("Gather", [graph.parameter("embedding.weight", drawn([5, 3])), word], {
    axis: int(0),
  });
  const both = graph.emit("Concat", [found, place], { axis: int(1) });
  const hidden = graph.emit("Relu", [
    graph.emit("MatMul", [both, graph.parameter("hidden.weight", drawn([5, 4]))]),
  ]);
  graph.output(graph.emit("MatMul", [hidden, graph.parameter("head.weight", drawn([4, 2]))]));
  return makeModel(graph.build("two inputs"));
}

test("espalier train feeds a model of two inputs from one CSV file, and resumes it", () =>
  withFolder(async (folder) => {
    const [model, table, out] = ["m.onnx", "table.csv", "run"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await saveModel(twoInputs(), model);
    const lines = Array.from(
      { length: 40 },
      (_, at) => `${at % 5},${at / 40},${Math.sin(at)},${at % 5 > 2 ? "yes" : "no"}`,
    );
    await writeFile(table, `word,place.0,place.1,answer\n${lines.join("\n")}\n`);
    const common = ["--quiet", "--steps"];
    const run = await runCli([
      "train",
      "--model",
      model,
      "--data",
      table,
      "--widen",
      "hidden=+2@10",
      "--out",
      out,
      ...common,
      "20",
    ]);
    expect(run).toMatchObject({ code: 0, err: "" });
    const again = await runCli(["train", "--resume", out, ...common, "30"]);
    expect(again).toMatchObject({ code: 0, err: "" });
    const metrics = (await readFile(join(out, "metrics.jsonl"), "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(metrics.at(-1)).toMatchObject({ step: 30 });
    const refused = await runCli(["train", "--model", model, "--data", "digits", ...common, "2"]);
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/columns for the inputs "word", "place"/);
  }));
