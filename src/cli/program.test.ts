import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli, snapshot, withFolder } from "../../test/cli-harness.ts";
import { loadModel } from "../models/model-file.ts";
import { RunFolder } from "./train/run-folder.ts";

const short = ["--steps", "40", "--hidden", "4"];

describe("espalier train", () => {
  it("trains on the digits, grows, and leaves a complete run in --out", () =>
    withFolder(async (folder) => {
      const out = join(folder, "run");
      const run = await runCli([
        "train",
        ...short,
        "--widen",
        "hidden1=+3@20",
        "--out",
        out,
        "--evaluate-every",
        "10",
      ]);
      expect(run.code, run.err).toBe(0);
      expect(run.out).toContain("hidden1 4 → 7");
      expect(run.out).toContain(`report: ${out}/report.html`);
      expect(run.err).toContain("step 20: hidden1 4 → 7");
      const files = await snapshot(out);
      expect([...files.keys()].filter((name) => !name.startsWith("checkpoints"))).toEqual([
        "config.json",
        "metrics.jsonl",
        "model.onnx",
        "report.html",
        "report.json",
      ]);
      const model = await loadModel(`${out}/model.onnx`);
      expect(model.graph.parameters.get("hidden1.weight")?.dims).toEqual([7, 64]);
      const kinds = (files.get("metrics.jsonl") ?? "")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).kind);
      expect(kinds.filter((kind) => kind === "growth").length).toBe(1);
      expect(kinds[0]).toBe("point");
      expect(JSON.parse(files.get("report.json") ?? "").arms[0].growths.length).toBe(1);
      expect(files.get("report.html")).toContain("hidden1");
    }));

  it("prints one JSON document and nothing else on stdout", () =>
    withFolder(async (folder) => {
      const out = join(folder, "deep/run");
      const run = await runCli([
        "train",
        ...short,
        "--json",
        "--quiet",
        "--out",
        out,
        "--widen",
        "hidden1=+1",
        "--every",
        "15",
      ]);
      expect(run.code).toBe(0);
      expect(run.err).toBe("");
      const result = JSON.parse(run.out);
      expect(result).toMatchObject({
        status: "complete",
        step: 40,
        widths: { hidden1: 6 },
        growths: [{ step: 15 }, { step: 30 }],
        files: { model: `${out}/model.onnx` },
      });
      expect(result.final.accuracy).toBeGreaterThan(0);
      await readFile(result.files.checkpoint);
    }));

  it("trains newborns as requested, and says so in the report", () =>
    withFolder(async (folder) => {
      const run = async (name: string, ...more: string[]) => {
        const out = join(folder, name);
        const args = [
          "train",
          ...short,
          "--quiet",
          "--json",
          "--out",
          out,
          "--widen",
          "hidden1=+2@5",
          ...more,
        ];
        const { code, out: text } = await runCli(args);
        expect(code).toBe(0);
        const { configuration } = JSON.parse(await readFile(join(out, "report.json"), "utf8"));
        return { configuration, loss: JSON.parse(text).final.loss };
      };
      const care = ["--newborn-warmup", "20", "--newborn-youth", "5", "--newborn-rate", "0.3"];
      const [plain, cared] = [await run("plain"), await run("cared", ...care)];
      expect(cared.configuration).toMatchObject({
        newbornWarmup: "20",
        newbornYouth: "5",
        newbornRate: "0.3",
      });
      expect(plain.configuration).not.toHaveProperty("newbornWarmup");
      expect(cared.loss).not.toBe(plain.loss);
    }));

  it("trains each kind of data", () =>
    withFolder(async (folder) => {
      const csv = join(folder, "points.csv");
      const rows = Array.from({ length: 60 }, (_, row) => `${row % 7},${row % 5},${row % 2 ? "yes" : "no"}`);
      await writeFile(csv, `a,b,class\n${rows.join("\n")}\n`);
      for (const data of [
        ["xor"],
        ["moons", "--early-stopping", "1"],
        ["spirals", "--batch-norm", "--activation", "gelu"],
        ["student-teacher", "--optimizer", "sgd", "--momentum", "0.9", "--clip-norm", "1"],
        [csv, "--standardize", "--label", "class", "--loss", "binary-cross-entropy"],
        [csv, "--label", "2", "--schedule", "cosine", "--warmup", "3"],
        ["digits", "--conv", "2", "--dropout", "0.1", "--widen", "conv1=+2@10"],
      ]) {
        const extra =
          data[0] === csv && data.includes("binary-cross-entropy") ? ["--loss", "crossEntropy"] : [];
        const run = await runCli(["train", "--steps", "20", "--quiet", "--data", ...data, ...extra]);
        expect(run, data.join(" ")).toMatchObject({ code: 0, err: "" });
      }
    }));

  it("refuses a folder that contains a run or anything else, and changes nothing", () =>
    withFolder(async (folder) => {
      const out = join(folder, "run");
      expect((await runCli(["train", ...short, "--quiet", "--out", out])).code).toBe(0);
      const before = await snapshot(folder);
      const again = await runCli(["train", ...short, "--out", out]);
      expect(again.code).toBe(1);
      expect(again.err).toMatch(/--resume[\s\S]*OUTPUT_EXISTS/);
      const other = await runCli(["train", ...short, "--out", folder]);
      expect(other).toMatchObject({ code: 1, out: "" });
      const file = await runCli(["train", ...short, "--out", join(out, "config.json")]);
      expect(file).toMatchObject({ code: 1, out: "" });
      const demo = await runCli(["demo", "--out", out]);
      expect(demo).toMatchObject({ code: 1, out: "" });
      expect(await snapshot(folder)).toEqual(before);
    }));

  it.each<[string, readonly string[], number]>([
    ["UNKNOWN_WIDTH", ["--widen", "hidden9=+1@5"], 2],
    ["NOT_GROWABLE", ["--widen", "output=+1@5"], 2],
    ["ARGUMENT", ["--widen", "hidden1=+1@40"], 2],
    ["USAGE", ["--widen", "hidden1"], 2],
    ["USAGE", ["--epochs", "1"], 2],
    ["USAGE", ["--activation", "swish"], 2],
    ["USAGE", ["--no-such-option"], 2],
    ["USAGE", ["stray"], 2],
    ["USAGE", ["--loss", "meanSquaredError"], 2],
    ["USAGE", ["--data", "moons", "--conv", "2"], 2],
    ["USAGE", ["--resume-step", "3"], 2],
    ["USAGE", ["--out", ""], 2],
    ["USAGE", ["--widen", "hidden1=+0@5"], 2],
    ["PLATFORM", ["--out", "package.json/run"], 1],
    ["FILE_MISSING", ["--data", "missing.csv"], 1],
    ["SHAPE_MISMATCH", ["--layers", "63,4,10"], 1],
    ["LABEL_RANGE", ["--layers", "64,4,9"], 1],
  ])("answers %s to %j without a trace, and writes nothing", (code, args, exit) =>
    withFolder(async (folder) => {
      const hidden = args[0] === "--layers" ? [] : ["--hidden", "4"];
      const run = await runCli(["train", "--steps", "40", ...hidden, "--out", join(folder, "run"), ...args]);
      expect(run.code).toBe(exit);
      expect(run.out).toBe("");
      expect(run.err).toMatch(/^espalier: \S.*\.\n {2}received {2}\S.*\n {2}remedy {4}\S.*\n {2}code {6}/);
      expect(run.err).toMatch(new RegExp(`\n {2}code {6}${code}\n$`));
      expect(run.err).not.toMatch(/\n\s+at /);
      expect(await snapshot(folder)).toEqual(new Map());
    }),
  );

  it.each<[string, string, readonly string[], RegExp]>([
    ["no rows", "a,b,y\n", [], /received {2}0\n.*in addition to its column names.*code {6}EMPTY_DATA/s],
    ["no text", "\0\xff\xfe", [], /must be UTF-8 text.*code {6}CSV/s],
    ["semicolons", "a;b;y\n1;2;0\n", [], /--delimiter ";".*code {6}CSV/s],
    ["tabs", "a\tb\ty\n1\t2\t0\n", [], /"a\\tb\\ty".*--delimiter tab.*code {6}CSV/s],
    ["a gap", "a,b,y\n1,,0\n", [], /line 2, column 2.*received {2}""\n.*Fill the gap.*code {6}CSV/s],
    ["text", "a,b,y\n1,red,0\n1,2,1\n", [], /line 2, column 2.*received {2}red\n.*--label.*code {6}CSV/s],
    ["an open quote", 'a,b,y\n1,2,"0\n', [], /line 2, column 3.*received {2}1,2,"0\n.*remedy.*code {6}CSV/s],
    ["one class", "a,b,y\n1,2,0\n3,4,0\n5,6,0\n", [], /two classes.*--label.*code {6}LABEL_RANGE/s],
    [
      "no such column",
      "a,b,y\n1,2,0\n",
      ["--label", "z"],
      /one of a, b, y.*received {2}z\n.*--label.*code {6}ARGUMENT/s,
    ],
    [
      "classes to predict",
      "a,y\n1,dog\n",
      ["--loss", "meanSquaredError"],
      /--loss crossEntropy.*code {6}CSV/s,
    ],
    ["one row", "a,b,y\n1,2,0\n", [], /testFraction.*1 examples.*more examples.*code {6}ARGUMENT/s],
    ["an escape", "a,b,y\n1,\u001b[2J,0\n1,2,1\n", [], /received {2}"\\u001b\[2J"/],
  ])("tells a person what to do about a CSV file with %s", (_, text, args, says) =>
    withFolder(async (folder) => {
      const csv = join(folder, "data.csv");
      await writeFile(csv, text, "latin1");
      const run = await runCli(["train", "--data", csv, "--quiet", "--steps", "2", ...args]);
      expect(run.code).toBeGreaterThan(0);
      expect(run.err).toMatch(says);
      expect(run.err).toMatch(/\n {2}received {2}\S.*\n {2}remedy {4}\S/);
    }),
  );

  it("predicts numbers if the labels have fractions, and reads cells with other delimiters", () =>
    withFolder(async (folder) => {
      const csv = join(folder, "prices.csv");
      const rows = Array.from({ length: 40 }, (_, row) => `${row};${row % 7};${row * 0.25}`);
      await writeFile(csv, `a;b;price\n${rows.join("\n")}\n`);
      const train = ["train", "--data", csv, "--delimiter", ";", "--steps", "5", "--quiet", "--json"];
      const numbers = JSON.parse((await runCli(train)).out);
      expect(Object.keys(numbers.final)).toEqual(["loss", "rootMeanSquaredError", "r2"]);
      const classes = JSON.parse((await runCli([...train, "--label", "b"])).out);
      expect(Object.keys(classes.final)).toEqual(["loss", "accuracy"]);
    }));

  it("ends with the last good weights if the very last update ruins them", () =>
    withFolder(async (folder) => {
      const out = join(folder, "run");
      const bad = ["train", "--hidden", "4", "--steps", "1", "--optimizer", "sgd", "--learning-rate", "1e39"];
      for (const args of [[], ["--out", out]]) {
        const run = await runCli([...bad, ...args]);
        expect(run).toMatchObject({ code: 1, out: "" });
        expect(run.err).toMatch(/weights after training step 1.*code {6}DIVERGED/s);
      }
      const model = await loadModel(join(out, "model.onnx"));
      for (const { data } of model.graph.parameters.values())
        expect([...data].every((value) => Number.isFinite(Number(value)))).toBe(true);
      expect((await snapshot(out)).get("report.html")).toContain("diverged at step 1 of 1");
    }));

  it("names the line of a bad CSV row, and shows a trace only with --debug", () =>
    withFolder(async (folder) => {
      const csv = join(folder, "bad.csv");
      await writeFile(csv, "a,b,y\n1,2,0\n2,3,1\n1,2\n");
      const run = await runCli(["train", "--data", csv]);
      expect(run.code).toBe(1);
      expect(run.err).toContain("code      CSV");
      expect(run.err).toContain("line 4");
      const debugged = await runCli(["train", "--data", csv, "--debug"]);
      expect(debugged.err).toMatch(/\n\s+at /);
    }));

  it("keeps the last good weights if the loss diverges, and says at which step", () =>
    withFolder(async (folder) => {
      const out = join(folder, "run");
      const run = await runCli([
        "train",
        "--data",
        "student-teacher",
        "--optimizer",
        "sgd",
        "--learning-rate",
        "100",
        "--steps",
        "50",
        "--out",
        out,
      ]);
      expect(run.code).toBe(1);
      expect(run.out).toBe("");
      expect(run.err).toMatch(/training step \d+.*code {6}DIVERGED/s);
      const model = await loadModel(join(out, "model.onnx"));
      for (const { data } of model.graph.parameters.values())
        expect([...data].every((value) => Number.isFinite(Number(value)))).toBe(true);
      expect((await snapshot(out)).has("report.html")).toBe(true);
    }));
});

describe("espalier", () => {
  it("lists commands, options, exit codes and examples", async () => {
    const [root, train, none] = [
      await runCli(["--help"]),
      await runCli(["train", "--help"]),
      await runCli([]),
    ];
    expect(root).toMatchObject({ code: 0, err: "" });
    expect(root.out).toContain("130");
    expect(train.out).toContain("--widen hidden1=+16@500");
    expect(train.out).toContain("Examples:");
    expect(none).toMatchObject({ code: 2, out: "" });
    expect((await runCli(["--version"])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it("suggests the name that was probably meant", async () => {
    const run = await runCli(["trian"]);
    expect(run.code).toBe(2);
    expect(run.err).toContain("Did you mean train?");
  });
});

describe("espalier demo", () => {
  it("grows without moving a loss, and overwrites nothing but a demo", () =>
    withFolder(async (folder) => {
      const out = join(folder, "demo");
      const first = await runCli(["demo", "--out", out, "--json"]);
      expect(first.code, first.err).toBe(0);
      const result = JSON.parse(first.out);
      for (const { arms } of result.pairs) {
        expect(arms[0].parameters).toBeLessThanOrEqual(arms[1].parameters);
        expect(arms[0].flops).toBeLessThan(arms[1].flops);
        const grew = arms[0].decisions.filter(({ action }: { action: string }) => action === "grow");
        expect(grew.length).toBe(arms[0].growths.length);
        expect(grew.length).toBeGreaterThan(1);
        for (const { why } of grew)
          expect(why).toMatch(/loss (fell|rose) by .* not by 25 %; hidden\d promises the largest decrease/);
        for (const arm of arms) expect(arm.final.accuracy).toBeGreaterThan(0.94);
        for (const growth of arms[0].growths) expect(growth.output.preserved).toBe(true);
      }
      expect(await readFile(result.files.report, "utf8")).toContain("promises the largest decrease");
      const again = await runCli(["demo", "--out", out]);
      // Each decision once: when it was made, or at the end if progress is not shown.
      const decision = /step \d+: grow hidden\d \+\d+: the loss fell by/;
      expect(again.err).toMatch(decision);
      const said = `${again.err}${again.out}`.split("\n").filter((line) => /^ *step/.test(line));
      expect(new Set(said.map((line) => line.trim())).size).toBe(said.length);
      const quiet = await runCli(["demo", "--out", out, "--quiet"]);
      expect(quiet.err).toBe("");
      expect(quiet.out).toMatch(decision);
      expect((await RunFolder.forCommand(out, "demo")).path).toBe(out);
      const other = join(folder, "other");
      await mkdir(other);
      await writeFile(join(other, "thesis.txt"), "all of it");
      expect((await runCli(["demo", "--out", other])).err).toContain("OUTPUT_EXISTS");
    }));
});
