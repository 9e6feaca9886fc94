import { link, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli, snapshot, withFolder } from "../../../test/cli-harness.ts";
import { reshapingModel, strangeModel } from "../../../test/fixtures/reshaping-model.ts";
import type { Model } from "../../graph/model.ts";
import { findWidths } from "../../growth/find/widths.ts";
import { loadModel, saveModel } from "../../models/model-file.ts";
import { cnn } from "../../nn/cnn.ts";
import { mlp } from "../../nn/mlp.ts";

/** Calls `body` with a folder that holds a model. */
function withModel(model: Model, body: (path: string, folder: string) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const path = join(folder, "m.onnx");
    await saveModel(model, path);
    await body(path, folder);
  });
}

const small = () => mlp([4, 6, 5, 3]);
const sizes = (model: Model) => Object.fromEntries(findWidths(model).map(({ id, size }) => [id, size]));

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
      // 6 + 1 + 3 parameters; 2·6 + 1 + 1 + 2·3 FLOPs, and what the reshapes and the copy count for.
      expect(inner.costPerUnit.parameters).toBe(10);
      expect(inner.costPerUnit.flops).toBeGreaterThanOrEqual(20);
      expect(head).toMatchObject({ id: "head", size: 3, growable: false, method: null });
      expect(head.reason).toContain("output");
    }));

  it("shows a table that fits 80 columns, and obeys no name in it", () =>
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

  it("names the option that raises a limit, and takes it", () =>
    withModel(small(), async (path) => {
      const run = await runCli(["inspect", path, "--max-nodes", "2"]);
      expect(run).toMatchObject({ code: 1, out: "" });
      expect(run.err).toContain("TOO_LARGE");
      expect(run.err).toContain("Raise --max-nodes");
      expect((await runCli(["inspect", path, "--max-nodes", "5000"])).code).toBe(0);
      expect((await runCli(["inspect", path, "--max-nodes", "many"])).code).toBe(2);
    }));

  it("refuses what is no model", () =>
    withFolder(async (folder) => {
      const path = join(folder, "notes.txt");
      await writeFile(path, "no protobuf at all");
      expect(await runCli(["inspect", path])).toMatchObject({ code: 1, out: "" });
      expect((await runCli(["inspect", join(folder, "none.onnx")])).err).toContain("does not exist");
      expect((await runCli(["inspect"])).code).toBe(2);
    }));
});

describe("espalier grow", () => {
  it("grows beside the model, verifies, and touches nothing else", () =>
    withModel(reshapingModel(), async (path, folder) => {
      const before = await readFile(path);
      const run = await runCli(["grow", path, "--widen", "inner=+5", "--json"]);
      expect(run, run.err).toMatchObject({ code: 0, err: "" });
      const document = JSON.parse(run.out);
      const out = join(folder, "m.grown.onnx");
      expect(document).toMatchObject({
        model: path,
        out,
        growths: [{ kind: "width", id: "inner", from: 8, to: 13 }],
        left: [],
        parameters: { before: 80, after: 130 },
        verification: { preserved: true },
      });
      const grown = await loadModel(out);
      expect(sizes(grown)).toMatchObject({ inner: 13 });
      expect(grown.metadata.get("author")).toBe("a person");
      expect(grown.graph.inputs).toEqual((await loadModel(path)).graph.inputs);
      expect([...(await snapshot(folder)).keys()]).toEqual(["m.grown.onnx", "m.onnx"]);
      expect(await readFile(path)).toEqual(before);
      expect(await runCli(["verify", path, out])).toMatchObject({ code: 0, err: "" });
    }));

  it("widens several, all, and by factors", () =>
    withModel(small(), async (path, folder) => {
      const out = join(folder, "deep/wide.onnx");
      const run = await runCli([
        "grow",
        path,
        "--widen",
        "hidden1=x1.5,hidden2=+1",
        "--widen",
        "all=x2",
        "--out",
        out,
      ]);
      expect(run.code, run.err).toBe(0);
      expect(run.out).toContain("left as it is: output: it reaches the output");
      expect(sizes(await loadModel(out))).toMatchObject({ hidden1: 18, hidden2: 12, output: 3 });
    }));

  it("plans without writing, and replays a plan to the same bytes", () =>
    withModel(small(), async (path, folder) => {
      const plan = join(folder, "plan.json");
      const dry = ["grow", path, "--widen", "all=x2", "--seed", "3"];
      const planned = await runCli([...dry, "--dry-run", "--save-plan", plan]);
      expect(planned.code, planned.err).toBe(0);
      expect(planned.out).toContain("dry run");
      expect(planned.out).toContain("hidden1.weight[0] incoming (random)");
      expect([...(await snapshot(folder)).keys()]).toEqual(["m.onnx", "plan.json"]);
      const [a, b] = [join(folder, "a.onnx"), join(folder, "b.onnx")];
      const grown = await runCli([...dry, "--out", a, "--json"]);
      expect(grown.code, grown.err).toBe(0);
      // A new unit of hidden2 never wakes: the rule vouches for it, though it reads new units itself.
      expect(JSON.parse(grown.out).verification.byRule).toContain("6 of hidden1, 5 of hidden2");
      expect((await runCli(["grow", path, "--plan", plan, "--out", b])).code).toBe(0);
      expect(await readFile(b)).toEqual(await readFile(a));
      expect((await runCli(["grow", a, "--plan", plan, "--out", join(folder, "c.onnx")])).err).toContain(
        "must be made for this model",
      );
      expect(await runCli(["grow", path, "--plan", plan, "--widen", "hidden1=+1"])).toMatchObject({
        code: 2,
      });
    }));

  it("takes new features, gives new classes and grows deeper, and the old outputs stay", () =>
    withModel(small(), async (path, folder) => {
      const plan = join(folder, "plan.json");
      const args = ["--inputs", "+2", "--outputs", "+1", "--deepen", "hidden2=+1", "--widen", "hidden2=+3"];
      const run = await runCli(["grow", path, ...args, "--save-plan", plan]);
      expect(run.code, run.err).toBe(0);
      const out = join(folder, "m.grown.onnx");
      const grown = await loadModel(out);
      expect(grown.graph.inputs[0]?.shape).toEqual(["batch", 6]);
      expect(grown.graph.outputs[0]?.shape).toEqual(["batch", 4]);
      expect(sizes(grown)).toMatchObject({ hidden2: 8, "hidden2.block1.in": 8 });
      expect((await runCli(["verify", path, out])).code).toBe(0);
      const again = join(folder, "again.onnx");
      expect((await runCli(["grow", path, "--plan", plan, "--out", again])).code).toBe(0);
      expect(await readFile(again)).toEqual(await readFile(out));
    }));

  it("never writes over its input, by whatever name", () =>
    withModel(small(), async (path, folder) => {
      const [soft, hard, other] = ["soft.onnx", "hard.onnx", "other.onnx"].map((name) =>
        join(folder, name),
      ) as [string, string, string];
      await symlink(path, soft);
      await link(path, hard);
      await writeFile(other, "precious");
      const before = await snapshot(folder);
      for (const out of [path, join(folder, ".", "m.onnx"), soft, hard]) {
        const run = await runCli(["grow", path, "--widen", "hidden1=+1", "--out", out, "--force"]);
        expect(run, out).toMatchObject({ code: 2, out: "" });
        const plan = await runCli(["grow", path, "--widen", "hidden1=+1", "--save-plan", out, "--force"]);
        expect(plan, out).toMatchObject({ code: 2, out: "" });
      }
      // Read through a link, the file behind it is the input.
      expect((await runCli(["grow", soft, "--widen", "hidden1=+1", "--out", path, "--force"])).code).toBe(2);
      const exists = await runCli(["grow", path, "--widen", "hidden1=+1", "--out", other]);
      expect(exists).toMatchObject({ code: 1, out: "" });
      expect(exists.err).toContain("OUTPUT_EXISTS");
      await mkdir(join(folder, "folder"));
      const folderRun = await runCli([
        "grow",
        path,
        "--widen",
        "hidden1=+1",
        "--out",
        join(folder, "folder"),
        "--force",
      ]);
      expect(folderRun.err).toContain("OUTPUT_EXISTS");
      expect(await snapshot(folder)).toEqual(before);
      expect((await runCli(["grow", path, "--widen", "hidden1=+1", "--out", other, "--force"])).code).toBe(0);
      expect(sizes(await loadModel(other))).toMatchObject({ hidden1: 7 });
    }));

  it("keeps weights beside the model apart", () =>
    withFolder(async (folder) => {
      const path = join(folder, "m.onnx");
      await saveModel(mlp([40, 60, 3]), path, { externalData: true });
      const refused = await runCli(["grow", path, "--widen", "hidden1=+4"]);
      expect(refused.code).toBe(1);
      expect(refused.err).toContain("--external-data");
      const data = join(folder, "m.onnx.data");
      const onData = ["grow", path, "--widen", "hidden1=+4", "--external-data", "--out", data, "--force"];
      expect((await runCli(onData)).code).toBe(2);
      const run = await runCli(["grow", path, "--widen", "hidden1=+4", "--external-data"]);
      expect(run.code, run.err).toBe(0);
      const grown = join(folder, "m.grown.onnx");
      expect((await runCli(["verify", path, grown, "--external-data"])).code).toBe(0);
      expect([...(await snapshot(folder)).keys()].filter((name) => name.endsWith("data"))).toEqual([
        "m.grown.onnx.data",
        "m.onnx.data",
      ]);
    }));

  it("writes nothing that it cannot check, unless it is told to", () =>
    withModel(strangeModel(), async (path, folder) => {
      const before = await snapshot(folder);
      const model = JSON.parse((await runCli(["inspect", path, "--json"])).out);
      expect(model.widths.every((width: { growable: boolean }) => !width.growable)).toBe(true);
      const all = await runCli(["grow", path, "--widen", "all=x2"]);
      expect(all).toMatchObject({ code: 2, out: "" });
      expect(all.err).toContain("Mystery");
      expect(all.err).not.toContain("\u001b");
      expect(await snapshot(folder)).toEqual(before);
    }));

  it.each([
    [["--widen", "hidden9=+1"], 2, "UNKNOWN_WIDTH"],
    [["--widen", "output=+1"], 2, "NOT_GROWABLE"],
    [["--widen", "hidden1=16"], 2, "USAGE"],
    [[], 2, "--widen"],
    [["--widen", "hidden1=+1", "--strategy", "magic"], 2, "--strategy"],
    [["--widen", "hidden1=+1", "--seed", "-1"], 2, "--seed"],
    [["--widen", "hidden1=+1", "--sizes", "b=2"], 2, "--sizes"],
    [["--plan", "/nowhere/plan.json"], 1, "does not exist"],
  ])("refuses %o", (args, code, says) =>
    withModel(small(), async (path, folder) => {
      const run = await runCli(["grow", path, ...args]);
      expect(run).toMatchObject({ code, out: "" });
      expect(run.err).toContain(says);
      expect([...(await snapshot(folder)).keys()]).toEqual(["m.onnx"]);
    }),
  );
});

describe("espalier verify", () => {
  it("tells models that compute the same from others, by its exit code too", () =>
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

  it("runs the sizes that are named", () =>
    withModel(small(), async (path) => {
      const args = ["verify", path, path, "--json", "--sizes", "batch=2", "--sizes", "batch=9"];
      const { checks } = JSON.parse((await runCli(args)).out);
      const sizes = checks.map((check: { sizes: { batch: number } }) => check.sizes.batch);
      expect([...new Set(sizes)]).toEqual([2, 9]);
      expect((await runCli(["verify", path, path, "--sizes", "batch=0"])).code).toBe(2);
    }));

  it("shows what new units have to learn from, and who of them never will", () =>
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

describe("espalier train --model", () => {
  const few = ["--epochs", "1", "--quiet", "--json"];

  it("goes on from a file, in the shape that it takes, with frozen parameters and growth, and can be resumed", () =>
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
      expect(run.err).toContain('the model\'s input "input" takes examples of shape [4]');
      const missing = await runCli(["train", "--model", `${path}.none`, ...few]);
      expect(missing.code).toBe(1);
      expect(JSON.parse(missing.out)).toMatchObject({ error: { code: "FILE_MISSING" } });
      expect(missing.err).toContain("does not exist");
    }));
});
