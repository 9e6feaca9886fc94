import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { runCli, withFolder } from "../../../test/cli-harness.ts";
import { saveModel } from "../../models/model-file.ts";
import { mlp } from "../../nn/mlp.ts";

/** Rows whose class is the quadrant of a point, with columns of very different scales. */
function quarters(rows: number, names: readonly string[], classes: readonly number[] = [0, 1, 2, 3]): string {
  const lines: string[] = [];
  for (let at = 0; lines.length < rows; at++) {
    const [x, y] = [((at * 37) % 101) - 50.5, ((at * 59) % 97) - 48.5];
    const quarter = (x > 0 ? 1 : 0) + (y > 0 ? 2 : 0);
    if (!classes.includes(quarter)) continue;
    lines.push(`${5000 + 10 * x},${0.001 * y},${names[quarter]}`);
  }
  return `width,depth,kind\n${lines.join("\n")}\n`;
}

const named = ["plum", "apple", "cherry", "pear"];
const numbered = ["0", "1", "2", "3"];

/** The outputs of ONNX Runtime alone for the raw cells of a CSV file, all columns but the last. */
async function rawOutputs(model: string, csv: string): Promise<{ outputs: number[][]; labels: string[] }> {
  const cells = (await readFile(csv, "utf8"))
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","));
  const width = (cells[0]?.length ?? 0) - 1;
  const session = await ort.InferenceSession.create(model);
  const values = cells.flatMap((row) => row.slice(0, width).map(Number));
  const [input] = session.inputMetadata;
  const type = input?.isTensor === true && input.type === "float64" ? "float64" : "float32";
  const feeds = { [session.inputNames[0] as string]: new ort.Tensor(type, values, [cells.length, width]) };
  const { data, dims } = (await session.run(feeds))[session.outputNames[0] as string] as ort.Tensor;
  const size = dims[1] ?? 1;
  const all = Array.from(data as Float32Array);
  return {
    outputs: cells.map((_, at) => all.slice(at * size, (at + 1) * size)),
    labels: cells.map((row) => row[width] as string),
  };
}

async function json(args: readonly string[]) {
  const run = await runCli([...args, "--json"]);
  expect(run.code, run.err + run.out).toBe(0);
  return JSON.parse(run.out);
}

describe("the model file of a run", () => {
  it("alone, on raw rows, is as accurate as in the run; also after it has grown and trained further on other rows", () =>
    withFolder(async (folder) => {
      const path = (name: string) => join(folder, name);
      await writeFile(path("all.csv"), quarters(400, named));
      await writeFile(path("some.csv"), quarters(300, named, [1, 2, 3]));
      const train = ["train", "--quiet", "--hidden", "8", "--learning-rate", "0.01"];
      await json([...train, "--data", path("all.csv"), "--epochs", "40", "--out", path("run")]);
      const accuracyOf = async (model: string) => {
        const { outputs, labels } = await rawOutputs(model, path("all.csv"));
        const { accuracy, confusion, classes } = await json(["evaluate", model, "--data", path("all.csv")]);
        expect(classes).toEqual([...named].sort());
        const right = outputs.filter((row, at) => classes[row.indexOf(Math.max(...row))] === labels[at]);
        expect(accuracy).toBe(right.length / labels.length);
        expect(confusion.flat().reduce((sum: number, count: number) => sum + count, 0)).toBe(400);
        return accuracy;
      };
      const model = path("run/model.onnx");
      expect(await accuracyOf(model)).toBeGreaterThan(0.95);
      const grown = await json(["grow", model, "--widen", "hidden1=+4", "--data", path("all.csv")]);
      expect(await accuracyOf(grown.out)).toBe(await accuracyOf(model));
      // The rows of the second run lack the first class; the others keep their numbers.
      const on = ["train", "--model", grown.out, "--data", path("some.csv"), "--quiet", "--steps", "5"];
      const { final } = await json([...on, "--out", path("on")]);
      expect(final.accuracy).toBeGreaterThan(0.95);
      expect(await accuracyOf(path("on/model.onnx"))).toBeGreaterThan(0.9);
      const resumed = await json(["train", "--resume", path("on"), "--steps", "8", "--quiet"]);
      expect(resumed.step).toBe(8);
      expect(await accuracyOf(path("on/model.onnx"))).toBeGreaterThan(0.9);
    }));

  it("keeps the numbers of classes", () =>
    withFolder(async (folder) => {
      const [all, some] = [join(folder, "all.csv"), join(folder, "some.csv")];
      await writeFile(all, quarters(400, numbered));
      await writeFile(some, quarters(300, numbered, [1, 2, 3]));
      const run = join(folder, "run");
      await json(["train", "--data", all, "--hidden", "8", "--epochs", "60", "--quiet", "--out", run]);
      const on = ["train", "--model", join(run, "model.onnx"), "--data", some, "--steps", "1", "--quiet"];
      expect((await json(on)).final.accuracy).toBeGreaterThan(0.9);
    }));

  it("answers in the units of the data: from house.csv to prices in three commands", () =>
    withFolder(async (folder) => {
      const csv = "examples/house.csv";
      const out = join(folder, "house");
      const { final } = await json(["train", "--data", csv, "--epochs", "100", "--out", out, "--quiet"]);
      const model = join(out, "model.onnx");
      // On the whole file, least squares has an RMSE of 4,969 (a mean absolute error of 3,961), the mean 85,341.
      expect(final.rootMeanSquaredError).toBeLessThan(8000);
      expect(final.r2).toBeGreaterThan(0.98);
      const measured = await json(["evaluate", model, "--data", csv]);
      expect(measured.rmse).toBeLessThan(8000);
      const { outputs, labels } = await rawOutputs(model, csv);
      const squares = outputs.reduce((sum, [price = 0], at) => sum + (price - Number(labels[at])) ** 2, 0);
      expect(measured.rmse / Math.sqrt(squares / labels.length)).toBeCloseTo(1, 4);
      // Rows to predict lack the price, and may have their columns in another order.
      const lines = (await readFile(csv, "utf8")).trim().split("\n");
      const rows = join(folder, "rows.csv");
      const turned = lines.slice(0, 6).map((line) => line.split(",").slice(0, -1).reverse().join(","));
      await writeFile(rows, turned.map((line, at) => `${line},${at === 0 ? "note" : "nice"}\n`).join(""));
      const said = await runCli(["predict", model, "--data", rows]);
      expect(said.code, said.err).toBe(0);
      expect(said.err).toContain("ignored: note");
      const [head, ...answers] = said.out.trim().split("\n");
      expect(head).toBe("price");
      answers.forEach((answer, at) => {
        expect(Number(answer) / (outputs[at]?.[0] ?? 0)).toBeCloseTo(1, 4);
      });
      await writeFile(rows, turned.map((line) => `${line.split(",").slice(1).join(",")}\n`).join(""));
      const refused = await runCli(["predict", model, "--data", rows, "--json"]);
      expect(JSON.parse(refused.out).error).toMatchObject({ code: "SHAPE_MISMATCH", thing: rows });
    }));

  it("reads and returns float64 for columns that float32 is too coarse for", () =>
    withFolder(async (folder) => {
      const [csv, out] = [join(folder, "times.csv"), join(folder, "run")];
      const model = join(out, "model.onnx");
      const rows = Array.from(
        { length: 300 },
        (_, at) => [1_700_000_000 + ((at * 37) % 101), at % 7] as const,
      );
      const head = "seen,place,";
      const write = (name: string, label: (seen: number, place: number) => string | number) =>
        writeFile(
          csv,
          `${head}${name}\n${rows.map((row) => `${row.join(",")},${label(...row)}`).join("\n")}\n`,
        );
      const train = ["train", "--data", csv, "--learning-rate", "0.01", "--epochs", "60", "--quiet"];
      await write("kind", (seen) => (seen % 100 < 50 ? "early" : "late"));
      const { final, notes } = await json([...train, "--out", out]);
      expect(final.accuracy).toBeGreaterThan(0.95);
      expect(notes.join()).toContain("the model expects float64 rows");
      const { outputs, labels } = await rawOutputs(model, csv);
      const named = outputs.map(([early = 0, late = 0]) => (early > late ? "early" : "late"));
      const right = named.filter((name, at) => name === labels[at]).length;
      const { accuracy } = await json(["evaluate", model, "--data", csv]);
      expect(right / rows.length).toBe(accuracy);
      const grown = await json(["grow", model, "--widen", "hidden1=+4", "--data", csv]);
      expect((await rawOutputs(grown.out, csv)).outputs).toEqual(outputs);
      const compared = await json(["verify", model, grown.out, "--data", csv]);
      expect(compared.newUnits).not.toBeNull();

      await write("leaves", (seen, place) => seen + place + 0.5);
      await json([...train, "--out", join(folder, "leaves")]);
      const leaving = join(folder, "leaves/model.onnx");
      const { rmse } = await json(["evaluate", leaving, "--data", csv]);
      expect(rmse).toBeLessThan(5);
      const raw = await rawOutputs(leaving, csv);
      const squares = raw.outputs.map(([time = 0], at) => (time - Number(raw.labels[at])) ** 2);
      expect(Math.sqrt(squares.reduce((sum, square) => sum + square / 300, 0))).toBeCloseTo(rmse, 3);
      const said = await runCli(["predict", leaving, "--data", csv]);
      const answers = said.out.trim().split("\n").slice(1).map(Number);
      expect(
        Math.max(...answers.map((answer, at) => Math.abs(answer - (raw.outputs[at]?.[0] ?? 0)))),
      ).toBeLessThan(1e-3);
    }));

  it("says that a model from elsewhere is matched by position", () =>
    withFolder(async (folder) => {
      const [model, rows] = [join(folder, "net.onnx"), join(folder, "rows.csv")];
      await saveModel(mlp([2, 4, 3]), model);
      await writeFile(rows, "a,b\n1,2\n3,4\n5,6\n");
      const { rows: answers, notes } = await json(["predict", model, "--data", rows]);
      expect(notes.join(" ")).toMatch(/order of the file.*does not record what its outputs mean/);
      expect(Object.keys(answers[0].probabilities)).toEqual(["0", "1", "2"]);
      const sum = Object.values<number>(answers[2].probabilities).reduce((total, share) => total + share, 0);
      expect(sum).toBeCloseTo(1, 6);
    }));

  it("writes answers to a file, but never to one that it reads", () =>
    withFolder(async (folder) => {
      const [model, rows, out] = ["net.onnx", "rows.csv", "out.csv"].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ];
      await saveModel(mlp([2, 4, 1]), model);
      await writeFile(rows, "a,b\n1,2\n3,4\n5,6\n");
      expect((await runCli(["predict", model, "--data", rows, "--out", out])).code).toBe(0);
      expect((await readFile(out, "utf8")).trim().split("\n")).toHaveLength(4);
      for (const file of [out, rows, model])
        expect((await runCli(["predict", model, "--data", rows, "--out", file])).code).toBeGreaterThan(0);
    }));
});
