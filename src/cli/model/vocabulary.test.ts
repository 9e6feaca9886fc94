import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli, withFolder, withModel } from "../../../test/cli-harness.ts";
import { loadModel } from "../../models/model-file.ts";
import { mlp } from "../../nn/mlp.ts";

const fileOf = (name: string) => new URL(`../../../test/cases/${name}.onnx`, import.meta.url).pathname;

describe("espalier grow --vocab", () => {
  it.each([
    ["lm_tied", ["E", "lb"], [0, 0]],
    ["lm_untied", ["E", "H", "lb"], [0, 1, 0]],
  ])("grows the rows of %s, its classes and their bias", (name, names, axes) =>
    withFolder(async (folder) => {
      const out = join(folder, "grown.onnx");
      const plan = join(folder, "plan.json");
      const path = fileOf(name);
      const looked = JSON.parse((await runCli(["inspect", path, "--json"])).out);
      expect(looked.vocabularies).toMatchObject([{ input: "ids", size: 20, growable: true }]);
      expect(looked.vocabularies[0].parameters.map((one: { name: string }) => one.name).sort()).toEqual(
        [...names].sort(),
      );
      expect((await runCli(["inspect", path])).out).toContain('Vocabulary of "ids": 20 ids');
      const run = await runCli(["grow", path, "--vocab", "+6", "--out", out, "--save-plan", plan]);
      expect(run.code, run.err).toBe(0);
      expect(run.out).toContain("outputs: the same");
      const { graph } = await loadModel(out);
      for (const [at, parameter] of names.entries()) {
        expect(graph.parameters.get(parameter)?.dims[axes[at] as number], parameter).toBe(26);
      }
      expect(graph.outputs[0]?.shape.at(-1)).toBe(26);
      const old = (await loadModel(path)).graph.parameters.get("E");
      expect(graph.parameters.get("E")?.data.slice(0, old?.data.length)).toEqual(old?.data);
      // New ids have different rows.
      const rows = [...(graph.parameters.get("E")?.data ?? [])].slice(160);
      expect(new Set(rows).size).toBe(rows.length);
      const again = join(folder, "again.onnx");
      expect((await runCli(["grow", path, "--plan", plan, "--out", again])).code).toBe(0);
      expect((await runCli(["verify", out, again])).code).toBe(0);
    }),
  );

  it("accepts the new size, and an input's name", () =>
    withFolder(async (folder) => {
      const out = join(folder, "grown.onnx");
      expect((await runCli(["grow", fileOf("lm_untied"), "--vocab", "ids=32", "--out", out])).code).toBe(0);
      expect((await loadModel(out)).graph.parameters.get("E")?.dims).toEqual([32, 8]);
      const other = await runCli(["grow", fileOf("lm_untied"), "--vocab", "words=+2", "--out", out]);
      expect(other).toMatchObject({ code: 2, out: "" });
      expect(other.err).toContain("ids (20)");
    }));

  it("is refused if no integer looks up a table", () =>
    withModel(mlp([4, 6, 3]), async (path) => {
      const run = await runCli(["grow", path, "--vocab", "+2"]);
      expect(run).toMatchObject({ code: 2, out: "" });
      expect(run.err).toContain("no integer input looks up rows");
    }));
});
