import { describe, expect, test } from "vitest";
import { type Preprocessing, preprocessingJson, readPreprocessing } from "./index.ts";

const house: Preprocessing = {
  version: 1,
  features: {
    kind: "table",
    named: true,
    columns: [
      { kind: "number", name: "area", mean: 100.25, deviation: 1 / 3, missing: 99 },
      { kind: "category", name: "town", categories: ["Bern", "Ulm", "missing"], missing: "missing" },
      { kind: "category", name: "heat", categories: ["gas"] },
    ],
  },
  target: { kind: "number", name: "price", mean: 2e5, deviation: 7e4 },
};
const images: Preprocessing = {
  version: 1,
  features: {
    kind: "image",
    dims: [1, 1, 2],
    divisor: 255,
    axes: "hwc",
    scales: [
      { mean: 0.1, deviation: 1 },
      { mean: 0.2, deviation: 2 },
    ],
  },
  target: { kind: "class", name: "label", classes: ["0", "cat"] },
};

test.each([house, images])("a record comes back from its JSON bit for bit", (record) => {
  expect(readPreprocessing(preprocessingJson(record), "x.onnx")).toEqual(record);
});

describe("a record edited by hand is refused with the place", () => {
  test.each<[string, Preprocessing, readonly string[], unknown, RegExp]>([
    ["another version", house, ["version"], 2, /version: must be 1/],
    ["no deviation", house, ["target", "deviation"], 0, /target, deviation: must be above zero/],
    [
      "a gap for a mean",
      house,
      ["features", "columns", "0", "mean"],
      null,
      /column 1, mean: must be a finite/,
    ],
    ["a repeated category", house, ["features", "columns", "1", "categories"], ["a", "a"], /twice/],
    ["a missing that is no category", house, ["features", "columns", "1", "missing"], "x", /one of its cat/],
    ["an unknown kind", house, ["features", "kind"], "text", /table or image/],
    ["an unknown column", house, ["features", "columns", "0", "kind"], "date", /number or category/],
    ["no columns", house, ["features", "columns"], [], /at least one/],
    ["too few scales", images, ["features", "scales"], [{ mean: 0, deviation: 1 }], /must be 2/],
    ["a size of 0", images, ["features", "dims"], [0], /positive whole/],
    ["other axes", images, ["features", "axes"], "chw", /hwc/],
    ["an unknown target", images, ["target", "kind"], "rank", /class or number/],
  ])("%s", (_, record, path, value, message) => {
    const copy = structuredClone(record) as unknown as Record<string, unknown>;
    const parent = path.slice(0, -1).reduce((at, key) => at[key] as Record<string, unknown>, copy);
    parent[path.at(-1) as string] = value;
    expect(() => readPreprocessing(JSON.stringify(copy), "x.onnx")).toThrow(message);
  });

  test("invalid JSON", () => {
    expect(() => readPreprocessing("{", "x.onnx")).toThrow(/x\.onnx: must be JSON/);
  });
});
