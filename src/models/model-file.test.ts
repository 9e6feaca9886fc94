import { execFileSync } from "node:child_process";
import { link, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { mlp } from "../../test/fixtures/onnx-bytes.ts";
import { encodeModel } from "../formats/onnx/index.ts";
import type { Model } from "../graph/model.ts";
import { EspalierError } from "../tensor/errors.ts";
import { float32, type Tensor } from "../tensor/tensor.ts";
import { loadModel, saveModel } from "./model-file.ts";

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "espalier-model-file-"));
  path = join(folder, "m.onnx");
});

afterEach(() => rm(folder, { recursive: true, force: true }));

function withLarge(length: number): Model {
  const model = mlp();
  const large = float32(
    [length],
    Float32Array.from({ length }, (_, index) => index),
  );
  const parameters = new Map<string, Tensor>([...model.graph.parameters, ["large", large]]);
  return { ...model, graph: { ...model.graph, parameters } };
}

const external = { externalData: true };

test("a model in one file is read back as it was, with the bytes that encoding gives", async () => {
  const model = withLarge(10_001);
  await saveModel(model, path);
  expect(await loadModel(path)).toEqual(model);
  await expect(loadModel(path, { maxBytes: 1000 })).rejects.toThrow(/Raise maxBytes/);
  expect(await loadModel(encodeModel(model))).toEqual(model);
  expect(await readdir(folder)).toEqual(["m.onnx"]);
});

test("a model in two files never replaces the data of another", async () => {
  await saveModel(withLarge(500), path, external);
  await rename(path, join(folder, "old.onnx"));
  await saveModel(withLarge(600), path, external);
  expect(await readdir(folder)).toEqual(["m.onnx", "m.onnx.2.data", "m.onnx.data", "old.onnx"]);
  expect(await loadModel(path, external)).toEqual(withLarge(600));
  expect(await loadModel(join(folder, "old.onnx"), external)).toEqual(withLarge(500));
});

describe("external data is refused", () => {
  const data = () => join(folder, "m.onnx.data");
  const elsewhere = () => join(folder, "elsewhere");

  beforeEach(() => saveModel(withLarge(500), path, external));

  const refused = async (rule: RegExp) => {
    const loading = loadModel(path, external);
    await expect(loading).rejects.toThrow(rule);
    await expect(loading).rejects.toBeInstanceOf(EspalierError);
  };

  test("without the option, and for bytes without a folder", async () => {
    await expect(loadModel(path)).rejects.toThrow(/externalData/);
    await expect(loadModel(new Uint8Array(1), external)).rejects.toThrow(/needs the model's path/);
  });

  test("through a symbolic link", async () => {
    await rename(data(), elsewhere());
    await symlink(elsewhere(), data());
    await refused(/symbolic link/);
  });

  test("through another hard link", async () => {
    await link(data(), elsewhere());
    await refused(/one link.*2 links/);
  });

  test.runIf(process.platform !== "win32")("from a pipe, without waiting for it", async () => {
    await rm(data());
    execFileSync("mkfifo", [data()]);
    await refused(/regular file/);
  });

  test("from a folder, from a missing file, from a file that is too short", async () => {
    await rm(data());
    await refused(/must exist next to the model.*ENOENT/);
    await mkdir(data());
    await refused(/regular file|EISDIR/);
    await rm(data(), { recursive: true });
    await writeFile(data(), new Uint8Array(1999));
    await refused(/within the 1999 bytes/);
  });
});
