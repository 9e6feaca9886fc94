import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli, withModel } from "../../../test/cli-harness.ts";
import { reshapingModel } from "../../../test/fixtures/reshaping-model.ts";
import { saveModel } from "../../models/model-file.ts";
import { mlp } from "../../nn/mlp.ts";

const small = () => mlp([4, 6, 5, 3]);

describe("espalier verify", () => {
  it("distinguishes models that compute the same from others, also by its exit code", () =>
    withModel(small(), async (path, folder) => {
      const other = join(folder, "other.onnx");
      await saveModel(mlp([4, 6, 5, 3], { seed: 1 }), other);
      const same = await runCli(["verify", path, path]);
      expect(same).toMatchObject({ code: 0, err: "" });
      expect(same.out).toContain("bit for bit");
      const different = await runCli(["verify", path, other]);
      expect(different.code).toBe(3);
      expect(different.out).toContain("DIFFERS");
      const document = JSON.parse((await runCli(["verify", path, other, "--json"])).out);
      expect(document).toMatchObject({ before: path, after: other, preserved: false, identical: false });
      expect(document.outputs[0].maximum).toBeGreaterThan(document.outputs[0].bound);
    }));

  it("runs the given sizes", () =>
    withModel(small(), async (path) => {
      const args = ["verify", path, path, "--json", "--sizes", "batch=2", "--sizes", "batch=9"];
      const { checks } = JSON.parse((await runCli(args)).out);
      const sizes = checks.map((check: { sizes: { batch: number } }) => check.sizes.batch);
      expect([...new Set(sizes)]).toEqual([2, 9]);
      expect((await runCli(["verify", path, path, "--sizes", "batch=0"])).code).toBe(2);
    }));

  it("shows the gradients of new units, and which of them will never learn", () =>
    withModel(mlp([64, 4, 10], { activation: "tanh" }), async (path, folder) => {
      const report = async (strategy: string) => {
        const out = join(folder, `${strategy}.onnx`);
        const args = ["grow", path, "--widen", "hidden1=+3", "--strategy", strategy, "--out", out];
        expect((await runCli(args)).code).toBe(0);
        const run = await runCli(["verify", path, out, "--data", "digits", "--json"]);
        expect(run.code, run.err).toBe(0);
        return JSON.parse(run.out).newUnits;
      };
      const live = await report("random");
      expect(live).toMatchObject({ loss: "crossEntropy", examples: 256 });
      const [width, ...others] = live.widths;
      expect(others).toEqual([]);
      expect(width).toMatchObject({
        width: "hidden1",
        size: { before: 4, after: 7 },
        diagnosis: { dead: [], identical: [] },
      });
      expect(width.gradientNorms.length).toBe(3);
      expect(width.gradientNorms.every((norm: number) => norm > 0)).toBe(true);
      const [dead] = (await report("zeros")).widths;
      expect(dead.gradientNorms).toEqual([0, 0, 0]);
      expect(dead.diagnosis.dead.length).toBe(3);
      const text = await runCli(["verify", path, join(folder, "zeros.onnx"), "--data", "digits"]);
      expect(text.out).toMatch(/hidden1 +4 → 7 +0 +0 +3 +3/);
      expect((await runCli(["verify", path, path, "--data", "digits"])).out).toContain("new units: none");
      expect((await runCli(["verify", path, path, "--data", "xor"])).err).toContain("SHAPE_MISMATCH");
      expect((await runCli(["verify", path, path, "--loss", "crossEntropy"])).code).toBe(2);
    }));

  it("compares only what can be compared", () =>
    withModel(small(), async (path, folder) => {
      const other = join(folder, "other.onnx");
      await saveModel(reshapingModel(), other);
      const run = await runCli(["verify", path, other]);
      expect(run).toMatchObject({ code: 1, out: "" });
      expect(run.err).toContain("SHAPE_MISMATCH");
      expect((await runCli(["verify", path])).code).toBe(2);
    }));
});

it("every command explains itself with an example", async () => {
  for (const command of ["inspect", "grow", "verify"]) {
    const help = await runCli([command, "--help"]);
    expect(help).toMatchObject({ code: 0, err: "" });
    expect(help.out).toContain("Examples:");
    expect(help.out).toContain(`espalier ${command} model.onnx`);
    for (const line of help.out.split("\n")) expect(line.length).toBeLessThanOrEqual(120);
  }
});
