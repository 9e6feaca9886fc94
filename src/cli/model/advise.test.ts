import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli, withFolder } from "../../../test/cli-harness.ts";
import { scores } from "../../growth/scores/index.ts";
import { saveModel } from "../../models/model-file.ts";
import { mlp } from "../../nn/mlp.ts";

function withModel(body: (path: string, folder: string) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const path = join(folder, "m.onnx");
    await saveModel(mlp([64, 4, 12, 10]), path);
    await body(path, folder);
  });
}

describe("espalier advise", () => {
  it.each(Object.keys(scores))("ranks widths by %s", (score) =>
    withModel(async (path) => {
      const run = await runCli(["advise", path, "--data", "digits", "--score", score, "--json"]);
      expect(run).toMatchObject({ code: 0, err: "" });
      const { widths, examples } = JSON.parse(run.out);
      expect(examples).toBe(512);
      expect(widths.map(({ id }: { id: string }) => id).sort()).toEqual(["hidden1", "hidden2"]);
      for (const { gains, perFlop, cost } of widths) {
        expect(gains.length).toBeGreaterThan(1);
        expect(gains).toEqual([...gains].sort((a, b) => b - a));
        expect(gains.at(-1)).toBeGreaterThan(0);
        expect(perFlop).toBeGreaterThan(0);
        expect(cost.flops).toBeGreaterThan(1e5);
      }
      expect(widths[0].perFlop).toBeGreaterThanOrEqual(widths[1].perFlop);
    }),
  );

  it("tells people what to try", () =>
    withModel(async (path) => {
      const run = await runCli(["advise", path]);
      expect(run.out).toMatch(/width +size +best unit +best 8/);
      expect(run.out).toMatch(/Try: espalier grow \S+ --widen hidden[12]=\+8 --data digits/);
    }));

  it("refuses what it does not know, with exit code 2", () =>
    withModel(async (path) => {
      expect(await runCli(["advise", path, "--score", "magic"])).toMatchObject({ code: 2 });
      expect(await runCli(["advise", path, "--units", "0"])).toMatchObject({ code: 2 });
    }));
});

describe("espalier grow --data", () => {
  it("chooses among candidates, and the saved plan repeats it without the data", () =>
    withModel(async (path, folder) => {
      const [out, again, plan] = ["a.onnx", "b.onnx", "p.json"].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ];
      const grown = await runCli([
        ...["grow", path, "--widen", "all=+4", "--data", "digits"],
        ...["--out", out, "--save-plan", plan],
      ]);
      expect(grown).toMatchObject({ code: 0, err: "" });
      expect(grown.out).toMatch(/hidden1 +4 → 8 .*candidates/);
      expect(grown.out).toMatch(/hidden2 +12 → 16 .*candidates/);
      expect(grown.out).not.toContain("parameters 466 → 466");
      expect(grown.out).toContain("outputs: the same");
      expect(await runCli(["grow", path, "--plan", plan, "--out", again])).toMatchObject({ code: 0 });
      expect((await readFile(out)).equals(await readFile(again))).toBe(true);
    }));

  it("checks the grown model on the data as well", () =>
    withModel(async (path) => {
      const run = await runCli(["grow", path, "--widen", "all=+4", "--data", "digits", "--json"]);
      expect(
        JSON.parse(run.out).verification.checks.map(({ inputs }: { inputs: string }) => inputs),
      ).toContain("digits");
    }));

  it("says that a strategy needs data", () =>
    withModel(async (path) => {
      const run = await runCli(["grow", path, "--widen", "hidden1=+4", "--strategy", "candidates"]);
      expect(run.code).toBe(2);
      expect(run.err).toContain("needs data");
    }));
});

describe("strategies on the command line", () => {
  it("may give the number of candidates, and must be known", () =>
    withModel(async (path, folder) => {
      const args = [
        "grow",
        path,
        "--widen",
        "hidden1=+2",
        "--data",
        "digits",
        "--out",
        join(folder, "c.onnx"),
      ];
      expect(await runCli([...args, "--strategy", "magic"])).toMatchObject({ code: 2 });
      const run = await runCli([...args, "--strategy", "candidates:32"]);
      expect(run).toMatchObject({ code: 0, err: "" });
      expect(run.out).toContain("candidates:32");
    }));

  it("names the file that is not a model", () =>
    withModel(async (_, folder) => {
      const path = join(folder, "no-model.onnx");
      await writeFile(path, "This is not a model.");
      const run = await runCli(["advise", path]);
      expect(run.code).toBe(1);
      expect(run.err).toContain("no-model.onnx");
    }));
});
