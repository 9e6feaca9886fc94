import { describe, expect, test } from "vitest";
import { platform } from "#platform";
import { mnist } from "./mnist.ts";

test("names the file that a folder lacks", async () => {
  await expect(mnist("src/data")).rejects.toMatchObject({ code: "FILE_MISSING", thing: "src/data" });
  await expect(mnist("no/such/folder")).rejects.toThrow("train-images-idx3-ubyte");
});

const folder = "../shared/data/mnist";
describe.skipIf((await platform.listFolder(folder)).length === 0)("the shared MNIST files", () => {
  test("load as images or flat", async () => {
    const { train, test } = await mnist(folder);
    expect([train.count, test.count, train.classes]).toEqual([10_000, 10_000, 10]);
    expect(train.featureDims).toEqual([1, 28, 28]);
    // How the official test labels begin.
    expect([...test.labels!.subarray(0, 10)]).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    expect(Math.max(...test.features.subarray(0, 784))).toBe(1);
    expect((await mnist(folder, { flat: true })).test.featureDims).toEqual([784]);
  });
});
