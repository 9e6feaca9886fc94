import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli, snapshot, withFolder } from "../../../test/cli-harness.ts";
import { encodeModel } from "../../formats/onnx/index.ts";
import { type Model, withParameters } from "../../graph/model.ts";
import { findWidths } from "../../growth/find/widths.ts";
import { grow } from "../../growth/grow/grow-model.ts";
import { loadModel, saveModel } from "../../models/model-file.ts";
import { mlp } from "../../nn/mlp.ts";
import { float32, type Tensor } from "../../tensor/tensor.ts";

function withModel(model: Model, body: (path: string, folder: string) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const path = join(folder, "m.onnx");
    await saveModel(model, path);
    await body(path, folder);
  });
}

function edited(model: Model, name: string, edit: (data: Float32Array) => void): Model {
  const tensor = model.graph.parameters.get(name) as Tensor<"float32">;
  const data = tensor.data.slice();
  edit(data);
  return withParameters(model, new Map([...model.graph.parameters, [name, float32(tensor.dims, data)]]));
}

const small = () => mlp([64, 6, 5, 10]);
const sizes = (model: Model) => Object.fromEntries(findWidths(model).map(({ id, size }) => [id, size]));
const doubled = () => grow(small(), [{ width: "hidden1", by: 6 }], { strategy: "halved" }).model;

describe("espalier shrink", () => {
  it("merges identical units: the model before they were copied", () =>
    withModel(doubled(), async (path, folder) => {
      const run = await runCli(["shrink", path, "--merge-identical"]);
      expect(run).toMatchObject({ code: 0, err: "" });
      expect(run.out).toContain("12 → 6");
      expect(run.out).toMatch(/outputs: the same/);
      const shrunk = await loadModel(join(folder, "m.shrunk.onnx"));
      expect(Buffer.from(encodeModel(shrunk)).equals(Buffer.from(encodeModel(small())))).toBe(true);
    }));

  it("removes units that are dead on data, and says that this is known only for these data", () =>
    withModel(
      edited(small(), "hidden2.bias", (data) => data.fill(-1e4, 2, 3)),
      async (path, folder) => {
        const args = ["shrink", path, "--remove-dead", "--merge-identical", "--data", "digits", "--json"];
        const run = await runCli([...args, "--width", "hidden2"]);
        expect(run).toMatchObject({ code: 0, err: "" });
        const document = JSON.parse(run.out);
        expect(document).toMatchObject({
          out: join(folder, "m.shrunk.onnx"),
          shrinks: [
            {
              id: "hidden2",
              from: 5,
              to: 4,
              exactness: "on the data seen",
              gone: [{ unit: 2, exactness: "on the data seen", reason: "zero on all 1024 examples seen" }],
            },
          ],
          verification: null,
          onData: { examples: 1024 },
        });
        expect(document.onData.loss.after).toBe(document.onData.loss.before);
        expect(sizes(await loadModel(join(folder, "m.shrunk.onnx")))).toMatchObject({
          hidden1: 6,
          hidden2: 4,
        });
      },
    ));

  it("removes the least important by a score, and says how far outputs moved", () =>
    withModel(small(), async (path, folder) => {
      const args = [
        "shrink",
        path,
        "--least",
        "2",
        "--by",
        "taylor",
        "--width",
        "hidden1",
        "--data",
        "digits",
      ];
      const run = await runCli(args);
      expect(run).toMatchObject({ code: 0, err: "" });
      expect(run.out).toContain("approximate");
      expect(run.out).toMatch(/on 1024 examples: at most .* apart, loss/);
      expect(sizes(await loadModel(join(folder, "m.shrunk.onnx")))).toMatchObject({ hidden1: 4 });
    }));

  it("says with --dry-run which units would go, and writes nothing", () =>
    withModel(doubled(), async (path, folder) => {
      const before = await snapshot(folder);
      const run = await runCli(["shrink", path, "--merge-identical", "--dry-run"]);
      expect(run).toMatchObject({ code: 0, err: "" });
      expect(run.out).toContain("unit 6 into 0: equal to unit 0 except in its outgoing weights");
      expect(await snapshot(folder)).toEqual(before);
    }));

  it("writes over nothing without --force, and never over the model", () =>
    withModel(doubled(), async (path, folder) => {
      const args = ["shrink", path, "--merge-identical"];
      expect((await runCli(args)).code).toBe(0);
      expect(await runCli(args)).toMatchObject({ code: 1, out: "" });
      expect((await runCli([...args, "--force"])).code).toBe(0);
      const before = await snapshot(folder);
      expect((await runCli([...args, "--out", path, "--force"])).code).toBe(2);
      expect(await snapshot(folder)).toEqual(before);
    }));

  it.each([
    [[], "--merge-identical"],
    [["--remove-dead"], "--data"],
    [["--least", "2", "--by", "taylor", "--width", "hidden1"], "--data"],
    [["--least", "2", "--width", "hidden1"], "--by"],
    [["--least", "2", "--by", "weightNorm"], "--width"],
    [["--least", "2", "--by", "luck", "--width", "hidden1"], "--by"],
    [["--least", "6", "--by", "weightNorm", "--width", "hidden1"], "from 1 to 5"],
    [["--least", "x", "--by", "weightNorm", "--width", "hidden1"], "--least"],
    [["--merge-identical", "--by", "taylor"], "--by"],
    [["--merge-identical", "--least", "2", "--by", "weightNorm", "--width", "hidden1"], "cannot go with"],
    [["--merge-identical", "--width", "hidden9"], "hidden9"],
    [["--merge-identical", "--width", "output"], "output"],
    [["--merge-identical"], "none can shrink this way"],
    [["--merge-identical", "--width", "hidden1"], "no identical units"],
    [["--merge-identical", "--label", "x"], "--label"],
  ])("refuses %o", (args, says) =>
    withModel(small(), async (path, folder) => {
      const run = await runCli(["shrink", path, ...args]);
      expect(run).toMatchObject({ code: 2, out: "" });
      expect(run.err).toContain(says);
      expect([...(await snapshot(folder)).keys()]).toEqual(["m.onnx"]);
    }),
  );
});
