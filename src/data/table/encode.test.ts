import { describe, expect, test } from "vitest";
import { preprocessingJson, readPreprocessing } from "../preprocessing/index.ts";
import { splitTable } from "../table-split.ts";
import { encodeTable } from "./encode.ts";
import { fitPreprocessing } from "./fit.ts";
import { parseTable } from "./parse.ts";
import { planTable } from "./plan.ts";

const learned = (text: string, options: Parameters<typeof planTable>[1] = {}, standardize = false) => {
  const plan = planTable(parseTable(text), options);
  const rows = Array.from({ length: plan.table.count }, (_, row) => row);
  return readPreprocessing(preprocessingJson(fitPreprocessing(plan, rows, { standardize })), "kept");
};

describe("a stored record reads other rows", () => {
  const four = learned("a,b,y\n1,5,0\n2,6,1\n3,7,2\n4,8,3\n");

  test("classes keep their numbers if the file lacks some, columns their place if it has another order", () => {
    const data = encodeTable(parseTable("y,new,b,a\n3,9,50,10\n1,9,60,20\n"), four);
    expect([...(data.labels ?? [])]).toEqual([3, 1]);
    expect([data.classes, data.classNames]).toEqual([4, undefined]);
    expect([...data.features]).toEqual([10, 50, 20, 60]);
  });

  test("classes keep their names", () => {
    const names = learned("a,y\n1,cat\n2,ant\n3,bee\n");
    const data = encodeTable(parseTable("a,y\n1,cat\n2,bee\n"), names);
    expect([[...(data.labels ?? [])], data.classNames]).toEqual([
      [2, 1],
      ["ant", "bee", "cat"],
    ]);
  });

  test("rows without a label are read on request", () => {
    const data = encodeTable(parseTable("b,a\n5,1\n"), four, { target: false });
    expect([[...data.features], data.labels]).toEqual([[1, 5], undefined]);
  });

  test.each([
    ["a class that it does not know", "a,b,y\n1,5,4\n", /line 2, column 3 \(y\).*one of 0, 1, 2, 3/],
    ["a column that is gone", "a,y\n1,1\n", /must have a column called b/],
    ["a column that comes twice", "a,a,b,y\n1,1,1,1\n", /one column only called a/],
    ["rows without names", "1.5,2,3\n4.5,5,1\n", /must name its columns.*a, b, y/],
    ["a gap", "a,b,y\n1,,1\n", /line 2, column 2 \(b\).*--missing/],
    ["text", "a,b,y\n1,x,1\n", /line 2, column 2 \(b\): must be a number/],
  ])("%s is refused", (_, text, message) => {
    expect(() => encodeTable(parseTable(text), four)).toThrow(message);
  });

  test("a gap is filled from the training rows, and a new category is none of the known ones", () => {
    const record = learned("a,town,y\n1,Bern,0\n,Ulm,1\n5,,0\n6,Bern,1\n", { missing: "median" });
    const data = encodeTable(parseTable("a,town,y\n,Rome,0\n,,1\n"), record);
    expect(data.featureNames).toEqual(["a", "town=Bern", "town=Ulm", "town=missing"]);
    expect([...data.features]).toEqual([5, 0, 0, 0, 5, 0, 0, 1]);
  });

  test("a misspelled column or class is named", () => {
    const record = learned("height,y\n1,ant\n2,bee\n3,ant\n4,bee\n");
    expect(() => encodeTable(parseTable("heigth,y\n1,ant\n"), record)).toThrow(/Is heigth that column/);
    expect(() => encodeTable(parseTable("height,y\n1,amt\n"), record)).toThrow(/Did you mean ant\?/);
  });

  test("targets come back in the units of the data", () => {
    const record = learned("a,price\n1,1000.5\n2,2000.5\n3,4000.5\n", {}, true);
    const { target } = record;
    if (target?.kind !== "number") throw new Error("a regression");
    const [scaled = 0] = encodeTable(parseTable("a,price\n1,3000\n"), record).targets ?? [];
    expect(scaled * target.deviation + target.mean).toBeCloseTo(3000, 2);
  });
});

test("a record is learned from the training part alone", () => {
  const rows = Array.from({ length: 50 }, (_, row) => `${row % 9 === 4 ? "" : row ** 2},${row % 2}`);
  const plan = planTable(parseTable(`a,y\n${rows.join("\n")}\n`), { missing: "mean" });
  const split = { testFraction: 0.4, validationFraction: 0.2, seed: 3, standardize: true };
  const { train, test: held, validation } = splitTable(plan, split);
  expect([train.count, validation?.count, held.count]).toEqual([24, 6, 20]);
  const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value / values.length, 0);
  expect(mean(train.features)).toBeCloseTo(0, 6);
  expect(Math.abs(mean(held.features))).toBeGreaterThan(0.01);
  expect(held.preprocessing).toBe(train.preprocessing);
  const [column] = train.preprocessing?.features.kind === "table" ? train.preprocessing.features.columns : [];
  if (column?.kind !== "number") throw new Error("a number");
  // A gap is filled with the training mean, which is 0 once scaled.
  expect(column.missing).toBeCloseTo(column.mean, 6);
});
