import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli, withFolder } from "../../../test/cli-harness.ts";
import { loadModel } from "../../models/model-file.ts";

const model = "test/cases/dynamic-spatial.onnx";
const known = ["--sizes", "height=8,width=8"];

describe("--sizes", () => {
  it("gives rows of 64 their shape as images; a resumed run keeps it, and its file still accepts any size", () =>
    withFolder(async (folder) => {
      const out = join(folder, "run");
      const command = ["train", "--model", model, "--data", "digits", "--steps", "30", "--quiet"];
      expect(await runCli([...command, ...known, "--out", out])).toMatchObject({ code: 0 });
      const trained = await loadModel(join(out, "model.onnx"));
      expect(trained.graph.inputs[0]?.shape).toEqual(["batch", 1, "height", "width"]);
      const more = await runCli(["train", "--resume", out, "--steps", "40", "--quiet"]);
      expect(more).toMatchObject({ code: 0, out: expect.stringContaining("trained 40 of 40 steps") });
    }));

  it("works with advise, and with shrink and verify on data", async () => {
    const data = ["--data", "digits", ...known];
    expect((await runCli(["advise", model, ...data])).out).toMatch(/Try: espalier grow/);
    expect((await runCli(["verify", model, model, ...data])).out).toContain("digits");
    const shrink = ["shrink", model, "--least", "2", "--by", "taylor", "--width", "w1", "--dry-run"];
    expect(await runCli([...shrink, ...data])).toMatchObject({ code: 0 });
  });

  it.each([
    [[], /expects examples of shape \[1, height, width\][\s\S]*--sizes height=8,width=8/],
    [["--sizes", "height=8,width=9"], /expects examples of shape \[1, 8, 9\]/],
    [["--sizes", "hieght=8"], /Did you mean height\?/],
    [["--sizes", "batch=4"], /counts the examples of a batch/],
  ])("is needed, and must be right: %j", async (sizes, message) => {
    const run = await runCli(["train", "--model", model, "--data", "digits", "--steps", "1", ...sizes]);
    expect(run).toMatchObject({ code: expect.not.toBeOneOf([0]), err: expect.stringMatching(message) });
  });
});
