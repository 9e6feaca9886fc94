import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { expect, test } from "vitest";
import { runCli, withFolder } from "../../../test/cli-harness.ts";
import { makeModel } from "../../graph/model.ts";
import { saveModel } from "../../models/model-file.ts";
import { newGraph } from "../../ops/index.ts";
import { float32 } from "../../tensor/tensor.ts";
import { readTableOptions, tableOptionNames, tableOptions } from "./table-options.ts";

test("whole prices are a regression that defaults fit, reported in the data's units", async () => {
  const run = await runCli([
    "train",
    "--data",
    "examples/house.csv",
    "--label",
    "price",
    "--quiet",
    "--json",
  ]);
  const { final, notes } = JSON.parse(run.out);
  expect(notes.join()).toMatch(/price has 400 different whole numbers.*a regression.*--task classification/);
  // Least squares gets 4,969 on all rows; predicting the mean gets 85,341.
  expect(final.rootMeanSquaredError).toBeLessThan(6000);
  expect(final.rootMeanSquaredError).toBeGreaterThan(1000);
  expect(final.r2).toBeGreaterThan(0.99);
});

test("every option that a data error names exists", () => {
  const command = tableOptions(
    new Command("train").option("--loss <name>").option("--test-fraction <share>"),
  );
  const known = new Set(command.options.map(({ long }) => long));
  const files = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)],
    );
  const named = files("src/data")
    .filter((file) => !file.endsWith(".test.ts"))
    .flatMap((file) => readFileSync(file, "utf8").match(/--[a-z][a-z-]+/g) ?? []);
  expect(named.length).toBeGreaterThan(40);
  expect([...new Set(named)].filter((option) => !known.has(option))).toEqual([]);
});

test("each option comes once, and is read", () => {
  expect(new Set(tableOptionNames).size).toBe(tableOptionNames.length);
  const raw = {
    label: "-2",
    task: "regression",
    header: false,
    delimiter: "tab",
    skipRows: "2",
    comment: "#",
    decimal: ",",
    thousands: ".",
    encoding: "latin1",
    missing: "mean",
    drop: ["0", "a,b"],
  };
  expect(readTableOptions(raw, undefined)).toEqual({
    label: -2,
    target: "number",
    header: false,
    delimiter: "\t",
    skipRows: 2,
    comment: "#",
    decimal: ",",
    thousands: ".",
    encoding: "latin1",
    missing: "mean",
    drop: [0, "a,b"],
  });
  expect(() => readTableOptions({ task: "regression" }, "crossEntropy")).toThrow(/does not go with --loss/);
  expect(() => readTableOptions({ decimal: ";" }, undefined)).toThrow(/--decimal/);
  expect(() => readTableOptions({ missing: "guess" }, undefined)).toThrow(/error, drop, mean, median, zero/);
});

/** scores = the mean of each of three channels: an image's class is its brightest channel. */
function channelMeans() {
  const graph = newGraph();
  const image = graph.input("image", { dtype: "float32", shape: ["batch", 3, 8, 8] });
  const means = graph.emit("GlobalAveragePool", [image]);
  const flat = graph.emit("Flatten", [means]);
  const weight = float32([3, 3], Float32Array.from([9, 0, 0, 0, 9, 0, 0, 0, 9]));
  graph.output(graph.emit("MatMul", [flat, graph.parameter("head.weight", weight)]));
  return makeModel(graph.build("means"));
}

test("images are never silently reinterpreted: refused, or transposed on request", () =>
  withFolder(async (folder) => {
    const [model, hwc, chw, labels] = ["m.onnx", "hwc.idx", "chw.idx", "labels.idx"].map((name) =>
      join(folder, name),
    ) as [string, string, string, string];
    await saveModel(channelMeans(), model);
    const count = 30;
    const size = (value: number) => [0, 0, 0, value];
    const pixel = (example: number, channel: number, at: number) =>
      (example % 3 === channel ? 150 : 50) + ((example * 7 + at * 5 + channel) % 40);
    const area = Array.from({ length: 64 }, (_, at) => at);
    const examples = Array.from({ length: count }, (_, example) => example);
    const channels = [0, 1, 2];
    const last = examples.flatMap((e) => area.flatMap((at) => channels.map((c) => pixel(e, c, at))));
    const first = examples.flatMap((e) => channels.flatMap((c) => area.map((at) => pixel(e, c, at))));
    const head = (dims: readonly number[]) => [0, 0, 8, dims.length, ...dims.flatMap(size)];
    await writeFile(hwc, Uint8Array.from([...head([count, 8, 8, 3]), ...last]));
    await writeFile(chw, Uint8Array.from([...head([count, 3, 8, 8]), ...first]));
    await writeFile(labels, Uint8Array.from([...head([count]), ...examples.map((e) => e % 3)]));
    const train = (images: string, ...more: string[]) =>
      runCli([
        "train",
        "--model",
        model,
        "--data",
        `idx:${images},${labels}`,
        "--steps",
        "1",
        "--learning-rate",
        "1e-9",
        "--quiet",
        "--json",
        ...more,
      ]);
    for (const run of [await train(chw), await train(hwc, "--axes", "hwc")])
      expect(JSON.parse(run.out).final.accuracy).toBe(1);
    const refused = await train(hwc);
    expect([refused.code, JSON.parse(refused.out).error.remedy]).toEqual([
      1,
      expect.stringContaining("--axes hwc"),
    ]);
    const asIs = await train(hwc, "--axes", "chw");
    expect(JSON.parse(asIs.out).error).toMatchObject({
      code: "SHAPE_MISMATCH",
      remedy: expect.stringContaining("--axes hwc"),
    });
  }));
