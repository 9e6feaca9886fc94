import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runCli, withFolder } from "../../../test/cli-harness.ts";
import { encodeModel } from "../../formats/onnx/encode.ts";
import { mlp } from "../../nn/mlp.ts";

/** What a command is called with so that it reads `path`. */
const commands: Readonly<Record<string, (path: string, data: string) => readonly string[]>> = {
  inspect: (path) => ["inspect", path],
  grow: (path) => ["grow", path, "--widen", "all=x2"],
  shrink: (path) => ["shrink", path, "--merge-identical"],
  advise: (path, data) => ["advise", path, "--data", data],
  verify: (path) => ["verify", path, path],
  train: (path, data) => ["train", "--model", path, "--data", data],
  predict: (path, data) => ["predict", path, "--data", data],
  evaluate: (path, data) => ["evaluate", path, "--data", data],
};

const whole = encodeModel(mlp([2, 6, 2]));
const files: readonly (readonly [what: string, bytes: Uint8Array | undefined])[] = [
  ["is not there", undefined],
  ["is empty", new Uint8Array()],
  ["is cut off", whole.slice(0, whole.length / 2)],
  ["is a text", new TextEncoder().encode("# a text\nthat is no model\n")],
];

const pairs = Object.keys(commands).flatMap((command) =>
  files.map(([what, bytes]) => [command, what, bytes] as const),
);

test.each(pairs)("%s names the model file that %s", (command, _, bytes) =>
  withFolder(async (folder) => {
    const path = join(folder, "some.onnx");
    if (bytes !== undefined) await writeFile(path, bytes);
    const data = join(folder, "points.csv");
    await writeFile(data, "a,b,y\n1,2,0\n2,1,1\n3,1,1\n1,3,0\n");
    const run = await runCli(commands[command]?.(path, data) ?? []);
    expect(run.code).not.toBe(0);
    expect(run.err).not.toContain("USAGE");
    expect(run.err).toContain(path);
  }),
);
