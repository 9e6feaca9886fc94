import { spawn } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli, withFolder } from "../../../test/cli-harness.ts";
import { saveModel } from "../../models/model-file.ts";
import { mlp } from "../../nn/mlp.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { errorJson, errorText } from "./error-text.ts";

describe("an error on the command line", () => {
  it("is a sentence, what was received, what to do, and the code last", () => {
    const error = new EspalierError("CSV", {
      thing: "a.csv, line 2",
      rule: "must hold a number",
      received: "red",
      remedy: "Mend it.",
    });
    expect(errorText(error, false)).toBe(
      "espalier: a.csv, line 2 must hold a number.\n  received  red\n  remedy    Mend it.\n  code      CSV\n",
    );
    const other = new EspalierError("CSV", { thing: "a.csv", rule: "its first line states 3 rows" });
    expect(errorText(other, false)).toBe("espalier: a.csv: its first line states 3 rows.\n  code      CSV\n");
    expect(errorText(new Error("boom"), false)).toMatch(/^espalier: boom\n {2}remedy .*--debug/);
  });

  it("can be represented in JSON, whatever was received", () => {
    const circle: { me?: unknown } = {};
    circle.me = circle;
    for (const received of [undefined, 5n, Number.NaN, new Error("no"), circle, { deep: [1n] }, () => 1]) {
      const document = errorJson(new EspalierError("CSV", { thing: "a", rule: "b", received }));
      expect(() => JSON.parse(JSON.stringify(document))).not.toThrow();
    }
  });

  it.each<[string, readonly string[], number]>([
    ["USAGE", ["train", "--loss", "hinge"], 2],
    ["USAGE", ["train", "--no-such-option"], 2],
    ["USAGE", ["inspect"], 2],
    ["USAGE", ["inspect", "a.onnx", "b.onnx"], 2],
    ["USAGE", ["compare", "experiments/digits-known.json"], 2],
    ["FILE_MISSING", ["inspect", "none.onnx"], 1],
    ["FILE_MISSING", ["train", "--data", "none.csv"], 1],
    ["FILE_MISSING", ["train", "--grow", "none.json"], 1],
    ["FILE_MISSING", ["train", "--data", "mnist:none"], 1],
    ["FILE_MISSING", ["train", "--data", "idx:none,none"], 1],
    ["FILE_MISSING", ["train", "--model", "none.onnx"], 1],
    ["FILE_MISSING", ["train", "--resume", "none"], 1],
    ["FILE_MISSING", ["verify", "none.onnx", "none.onnx"], 1],
    ["FILE_MISSING", ["compare", "none.json", "--out", "none"], 1],
    ["FORMAT", ["inspect", "package.json"], 1],
    ["FORMAT", ["inspect", "src"], 1],
  ])("under --json is a document on stdout: %s for %j", async (code, args, exit) => {
    const run = await runCli([...args, "--json"]);
    expect(run.code).toBe(exit);
    const { error } = JSON.parse(run.out);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/\S.*\.$/);
    expect(Object.keys(error)).toEqual(["code", "message", "thing", "rule", "received", "remedy"]);
    expect(error.remedy).toBeTruthy();
    // The file is named in every error about one.
    const file = args.find((arg) => /none|package\.json$|^src$/.test(arg))?.replace(/^\w+:|,.*/g, "");
    if (exit === 1) expect(error.thing).toContain(file);
    expect(run.err.trimEnd().split("\n").at(-1)).toBe(`  code      ${code}`);
  });

  it.each<[readonly string[], string]>([
    [["--loss", "mse"], "meanSquaredError"],
    [["--loss", "bce"], "binaryCrossEntropy"],
    [["--data", "digit"], "digits"],
    [["--data", "spiral"], "spirals"],
    [["--data", "mnist"], "mnist:FOLDER"],
    [["--optimizer", "adm"], "adam"],
    [["--activation", "relo"], "relu"],
    [["--schedule", "cosin"], "cosine"],
    [["--strategy", "randm", "--widen", "hidden1=+1@2"], "random"],
    [["--widen", "hiden1=+1@2"], "hidden1"],
    [["--grow-when", "plateu=5:0.1", "--grow-units", "4"], "plateau"],
    [["--grow-when", "every=5", "--grow-units", "4", "--grow-where", "roundrobin"], "round-robin"],
    [["--grow-when", "every=5", "--grow-units", "4", "--grow-where", "hidden"], "hidden1"],
    [["--grow-when", "every=5", "--grow-units", "4", "--grow-until", "paramters=900"], "parameters"],
    [["--grow-when", "every=5", "--grow-units", "4", "--grow-score", "tinny"], "tiny"],
    [["--optimzer", "sgd"], "--optimizer"],
  ])("says what %j was meant to be", async (args, meant) => {
    const run = await runCli(["train", "--steps", "20", "--hidden", "4", "--quiet", ...args]);
    expect(run.code).toBe(2);
    expect(run.err).toContain(`Did you mean ${meant}?`);
  });
});

describe("arguments", () => {
  it("are checked before the output", () =>
    withFolder(async (folder) => {
      const model = join(folder, "net.onnx");
      await saveModel(mlp([4, 8, 3]), model);
      for (const name of ["net.grown.onnx", "net.shrunk.onnx"]) await writeFile(join(folder, name), "mine");
      const used = join(folder, "used");
      await mkdir(used);
      await writeFile(join(used, "mine"), "");
      const before = await readdir(folder, { recursive: true });
      const config = join(folder, "config.json");
      await writeFile(config, "{}");
      for (const [args, code] of [
        [["grow", model, "--widen", "hiden1=+2"], "UNKNOWN_WIDTH"],
        [["grow", model, "--widen", "hidden1=+2", "--strategy", "randm"], "USAGE"],
        [["grow", model, "--widen", "hidden1=+2", "--sizes", "bach=2"], "USAGE"],
        [["grow", model, "--widen", "hidden1=+2", "--data", "none.csv"], "FILE_MISSING"],
        [["grow", model, "--plan", "none.json"], "FILE_MISSING"],
        [["shrink", model, "--merge-identical", "--width", "hiden1"], "UNKNOWN_WIDTH"],
        [["train", "--out", used, "--steps", "9", "--widen", "hiden1=+2@3"], "UNKNOWN_WIDTH"],
        [["train", "--out", used, "--data", "none.csv"], "FILE_MISSING"],
        [["train", "--out", used, "--layers", "63,4,10"], "SHAPE_MISMATCH"],
        [["compare", config, "--out", used], "CONFIG"],
      ] as const) {
        const { out } = await runCli([...args, "--json"]);
        expect(JSON.parse(out).error.code, args.join(" ")).toBe(code);
      }
      expect(await readdir(folder, { recursive: true })).toEqual([...before, "config.json"].sort());
    }));

  it("stop a comparison without its data before the first job", () =>
    withFolder(async (folder) => {
      const out = join(folder, "out");
      const run = await runCli([
        "compare",
        "experiments/mnist-mlp-known.json",
        "--data-dir",
        folder,
        "--out",
        out,
        "--json",
      ]);
      expect(run.code).toBe(1);
      expect(JSON.parse(run.out).error).toMatchObject({
        code: "FILE_MISSING",
        thing: expect.stringContaining(join(folder, "mnist")),
      });
      expect(await readdir(folder)).toEqual([]);
    }));
});

/** Runs the built command and closes its pipes after the first bytes, as head does. */
function withoutReader(args: readonly string[]): Promise<{ readonly code: number; readonly err: string }> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [resolve("dist/cli/main.js"), ...args]);
    let err = "";
    child.stdout.once("data", () => child.stdout.destroy());
    child.stderr.on("data", (chunk) => {
      err += chunk;
      if (args.includes("--out")) child.stderr.destroy();
    });
    child.on("close", (code) => done({ code: code ?? -1, err }));
  });
}

describe("a pipe without a reader", () => {
  it("ends the command quietly", async () => {
    for (const args of [["--help"], ["train", "--help"], ["inspect", "none.onnx", "--json"]]) {
      const { err } = await withoutReader(args);
      expect(err).not.toMatch(/EPIPE|at .*node:/);
    }
  });

  it("ends a training between two steps, and loses nothing", () =>
    withFolder(async (folder) => {
      const out = join(folder, "run");
      const { code } = await withoutReader(["train", "--steps", "10000000", "--hidden", "4", "--out", out]);
      expect(code).toBe(141);
      expect(await readdir(out)).toContain("model.onnx");
    }));
});
