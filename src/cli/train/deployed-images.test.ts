import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { expect, it } from "vitest";
import { runCli, withFolder } from "../../../test/cli-harness.ts";
import { digits } from "../../data/digits.ts";

/** Accuracy on images as in the source, with nothing but ONNX Runtime and the `model.onnx` of a run. */
async function accuracyOnRaw(
  run: string,
  pixels: readonly number[],
  dims: readonly number[],
  labels: readonly number[],
) {
  const session = await ort.InferenceSession.create(join(run, "model.onnx"));
  const input = new ort.Tensor("float32", pixels, [labels.length, ...dims]);
  const { data } = (await session.run({ [session.inputNames[0] as string]: input }))[
    session.outputNames[0] as string
  ] as ort.Tensor;
  const scores = Array.from(data as Float32Array);
  const classes = scores.length / labels.length;
  const right = labels.filter((label, at) => {
    const row = scores.slice(at * classes, (at + 1) * classes);
    return row.indexOf(Math.max(...row)) === label;
  });
  return right.length / labels.length;
}

async function trained(args: readonly string[], out: string): Promise<number> {
  const run = await runCli(["train", ...args, "--quiet", "--json", "--out", out]);
  expect(run.code, run.err).toBe(0);
  return JSON.parse(run.out).final.accuracy;
}

it.each([
  [["--hidden", "32"], [64]],
  [
    ["--conv", "4", "--standardize"],
    [1, 8, 8],
  ],
])("digits with %o: the file alone, on pixels 0..16, is as right as the run", (args, dims) =>
  withFolder(async (folder) => {
    const accuracy = await trained([...args, "--epochs", "6"], join(folder, "run"));
    const { test } = await digits();
    const pixels = Array.from(test.features, (value) => Math.round(value * 16));
    expect(accuracy).toBeGreaterThan(0.7);
    expect(await accuracyOnRaw(join(folder, "run"), pixels, dims, [...(test.labels ?? [])])).toBe(accuracy);
  }),
);

it("bytes with channels last: the exported file alone accepts them in that order, 0..255", () =>
  withFolder(async (folder) => {
    // The brightest channel is the class.
    const labels = Array.from({ length: 90 }, (_, at) => at % 3);
    const pixels = labels.flatMap((label, at) =>
      Array.from(
        { length: 48 },
        (_, place) => (place % 3 === label ? 180 : 40) + ((at * 31 + place * 17) % 41),
      ),
    );
    const idx = (dims: readonly number[], values: readonly number[]) =>
      Uint8Array.of(0, 0, 8, dims.length, ...dims.flatMap((dim) => [0, 0, 0, dim]), ...values);
    const [images, classes] = [join(folder, "images.idx"), join(folder, "labels.idx")];
    await writeFile(images, idx([90, 4, 4, 3], pixels));
    await writeFile(classes, idx([90], labels));
    const data = ["--data", `idx:${images},${classes}`, "--axes", "hwc", "--hidden", "8", "--epochs", "60"];
    expect(await trained(data, join(folder, "run"))).toBe(1);
    expect(await accuracyOnRaw(join(folder, "run"), pixels, [4, 4, 3], labels)).toBe(1);
  }));
