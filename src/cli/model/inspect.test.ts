import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli, withFolder, withModel } from "../../../test/cli-harness.ts";
import { reshapingModel, strangeModel } from "../../../test/fixtures/reshaping-model.ts";
import { cnn } from "../../nn/cnn.ts";
import { mlp } from "../../nn/mlp.ts";

const small = () => mlp([4, 6, 5, 3]);

describe("espalier inspect", () => {
  it("prints widths, costs, inputs and outputs as one JSON document", () =>
    withModel(reshapingModel(), async (path) => {
      const run = await runCli(["inspect", path, "--json"]);
      expect(run).toMatchObject({ code: 0, err: "" });
      const document = JSON.parse(run.out);
      expect(document).toMatchObject({
        model: path,
        producer: "by hand",
        opsets: { "ai.onnx": 20 },
        inputs: [{ name: "x", dtype: "float32", shape: ["batch", 6] }],
        outputs: [{ shape: ["batch", 3] }],
        parameters: 80,
        sizes: { batch: 1 },
      });
      expect(document.flops).toEqual(expect.any(Number));
      const [inner, head] = document.widths;
      expect(inner).toMatchObject({
        id: "inner",
        size: 8,
        unit: "neuron",
        growable: true,
        reason: "",
        multiple: 1,
      });
      expect(inner.parameters).toEqual([
        { name: "inner.weight", axis: 1, role: "incoming" },
        { name: "inner.bias", axis: 0, role: "shift" },
        { name: "head.weight", axis: 0, role: "outgoing" },
      ]);
      // 6 + 1 + 3 parameters; 2·6 + 1 + 1 + 2·3 FLOPs, plus those of the reshapes and the copy.
      expect(inner.costPerUnit.parameters).toBe(10);
      expect(inner.costPerUnit.flops).toBeGreaterThanOrEqual(20);
      expect(head).toMatchObject({ id: "head", size: 3, growable: false, method: null });
      expect(head.reason).toContain("output");
    }));

  it("shows a table that fits in 80 columns, in which no name controls the terminal", () =>
    withModel(strangeModel(), async (path) => {
      const run = await runCli(["inspect", path, "--ties"]);
      expect(run.code, run.err).toBe(0);
      expect(run.out).toMatch(/ - inner +8 +neuron/);
      expect(run.out).toContain("Mystery");
      expect(run.out).not.toContain("\u001b");
      const long = run.out.split("\n").filter((line) => line.length > 80 && !line.includes(path));
      expect(long).toEqual([]);
    }));

  it("binds the sizes that are named, and leaves the others as text", () =>
    withModel(cnn({ input: [1, 8, 8], filters: [3], classes: 2 }), async (path) => {
      const at = async (...args: string[]) =>
        JSON.parse((await runCli(["inspect", path, "--json", ...args])).out).flops;
      expect(await at("--sizes", "batch=10")).toBe(10 * (await at()));
      const wrong = await runCli(["inspect", path, "--sizes", "rows=3"]);
      expect(wrong).toMatchObject({ code: 2, out: "" });
      expect(wrong.err).toContain("It has batch.");
    }));

  it("names the option that raises a limit, and accepts it", () =>
    withModel(small(), async (path) => {
      const run = await runCli(["inspect", path, "--max-nodes", "2"]);
      expect(run).toMatchObject({ code: 1, out: "" });
      expect(run.err).toContain("TOO_LARGE");
      expect(run.err).toContain("Raise --max-nodes");
      expect((await runCli(["inspect", path, "--max-nodes", "5000"])).code).toBe(0);
      expect((await runCli(["inspect", path, "--max-nodes", "many"])).code).toBe(2);
    }));

  it("refuses what is not a model", () =>
    withFolder(async (folder) => {
      const path = join(folder, "notes.txt");
      await writeFile(path, "no protobuf at all");
      expect(await runCli(["inspect", path])).toMatchObject({ code: 1, out: "" });
      expect((await runCli(["inspect", join(folder, "none.onnx")])).err).toContain("does not exist");
      expect((await runCli(["inspect"])).code).toBe(2);
    }));
});
