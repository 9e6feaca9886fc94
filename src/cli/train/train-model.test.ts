import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli, snapshot, withModel } from "../../../test/cli-harness.ts";
import { loadModel } from "../../models/model-file.ts";
import { cnn } from "../../nn/cnn.ts";
import { mlp } from "../../nn/mlp.ts";

const small = () => mlp([4, 6, 5, 3]);

describe("espalier train --model", () => {
  const few = ["--epochs", "1", "--quiet", "--json"];

  it("trains a model file further, in its own input shape, with frozen parameters and growth, and can be resumed", () =>
    withModel(cnn({ input: [1, 8, 8], filters: [3], classes: 10 }), async (path, folder) => {
      const out = join(folder, "run");
      const growth = ["--widen", "conv1=+2@10"];
      const run = await runCli([
        "train",
        "--model",
        path,
        "--freeze",
        "output*",
        ...growth,
        ...few,
        "--out",
        out,
      ]);
      expect(run.code, run.err).toBe(0);
      expect(JSON.parse(run.out).widths).toMatchObject({ conv1: 5 });
      const before = (await loadModel(path)).graph.parameters;
      const after = (await loadModel(join(out, "model.onnx"))).graph.parameters;
      expect(after.get("output.bias")).toEqual(before.get("output.bias"));
      expect(after.get("conv1.bias")?.dims).toEqual([5]);
      expect(after.get("conv1.bias")?.data.subarray(0, 3)).not.toEqual(before.get("conv1.bias")?.data);
      const resumed = await runCli(["train", "--resume", out, "--epochs", "2", "--quiet", "--json"]);
      expect(resumed.code, resumed.err).toBe(0);
      const end = (await loadModel(join(out, "model.onnx"))).graph.parameters;
      expect(end.get("output.bias")).toEqual(before.get("output.bias"));
    }));

  it.each([
    [["--hidden", "8"], 2, "USAGE", "has its own layers"],
    [["--activation", "tanh"], 2, "USAGE", "--activation"],
    [["--freeze", "conv*"], 2, "ARGUMENT", "must name parameters"],
    [
      ["--train-only", "hidden1.*", "--freeze", "hidden1.*"],
      2,
      "ARGUMENT",
      "leave at least one parameter to train",
    ],
    [["--data", "xor"], 1, "SHAPE_MISMATCH", "SHAPE_MISMATCH"],
    [["--max-nodes", "1"], 1, "TOO_LARGE", "--max-nodes"],
  ])("refuses %o", (args, code, error, says) =>
    withModel(mlp([64, 4, 10]), async (path, folder) => {
      const out = join(folder, "run");
      const run = await runCli(["train", "--model", path, ...few, ...args, "--out", out]);
      expect(run.code).toBe(code);
      expect(JSON.parse(run.out)).toMatchObject({ error: { code: error } });
      expect(run.err).toContain(says);
      expect([...(await snapshot(folder)).keys()]).toEqual(["m.onnx"]);
    }),
  );

  it("refuses a file that no data set can feed, and one that is missing", () =>
    withModel(small(), async (path) => {
      const run = await runCli(["train", "--model", path, ...few]);
      expect(run.err).toContain('the model\'s input "input" expects examples of shape [4]');
      const missing = await runCli(["train", "--model", `${path}.none`, ...few]);
      expect(missing.code).toBe(1);
      expect(JSON.parse(missing.out)).toMatchObject({ error: { code: "FILE_MISSING" } });
      expect(missing.err).toContain("does not exist");
    }));
});
