import { link, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli, snapshot, withFolder, withModel } from "../../../test/cli-harness.ts";
import { reshapingModel, strangeModel } from "../../../test/fixtures/reshaping-model.ts";
import type { Model } from "../../graph/model.ts";
import { findWidths } from "../../growth/find/widths.ts";
import { loadModel, saveModel } from "../../models/model-file.ts";
import { mlp } from "../../nn/mlp.ts";

const small = () => mlp([4, 6, 5, 3]);
const sizes = (model: Model) => Object.fromEntries(findWidths(model).map(({ id, size }) => [id, size]));

describe("espalier grow", () => {
  it("writes the grown model next to the old one, verifies, and touches nothing else", () =>
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
      // A new unit of hidden2 never activates: a rule proves it harmless even though it reads new units
      // itself.
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

  it("accepts new features, gives new classes and grows deeper, and the old outputs stay", () =>
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
      // If a model is read through a link, the file that the link points to is the input.
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

  it("keeps weights in a separate file", () =>
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
