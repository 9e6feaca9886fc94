import { describe, expect, it } from "vitest";
import { dataset } from "../../data/dataset.ts";
import { loadModel } from "../../models/model-file.ts";
import { Random } from "../../tensor/random.ts";
import { advise } from "../measure/advise.ts";
import { diagnose } from "../trainer/diagnose-model.ts";
import { Trainer } from "../trainer/trainer.ts";
import { taskFor } from "./task.ts";

const spatial = () => loadModel("test/cases/dynamic-spatial.onnx");
const unet = () => loadModel("test/cases/unet_hw.onnx");

/** Images of `dims`, each with labels of `labelDims`. */
function images(dims: readonly number[], classes: number, labelDims: readonly number[] = []) {
  const draws = new Random(3, "images");
  const numbers = (sizes: readonly number[]) =>
    Array.from({ length: sizes.reduce((product, size) => product * size, 6) }, () => draws.normal());
  return dataset({
    name: "images",
    features: numbers(dims),
    featureDims: dims,
    labels: numbers(labelDims).map((value) => Math.abs(Math.round(value * 10)) % classes),
    labelDims,
    classes,
  });
}

describe("sizes of an example that the model leaves open", () => {
  it("come from the caller: a strided classifier trains, and keeps its symbols in the file", async () => {
    const trainer = await Trainer.create(await spatial(), { sizes: { height: 8, width: 12 } });
    const data = images([1, 8, 12], 10);
    const { loss: first } = await trainer.trainStep(data);
    for (let step = 0; step < 60; step++) await trainer.trainStep(data);
    expect((await trainer.evaluate(data)).loss).toBeLessThan(first / 2);
    expect(trainer.model.graph.inputs[0]?.shape).toEqual(["batch", 1, "height", "width"]);
    await trainer.dispose();
  });

  it("otherwise come from the data: a U-Net trains on a label for each pixel", async () => {
    const model = await unet();
    const data = images([3, 8, 12], 2, [8, 12]);
    const { notes: _, ...task } = taskFor(model, data);
    expect(task.sizes).toEqual({ height: 8, width: 12 });
    const trainer = await Trainer.create(model, { ...task, batchSize: 1 });
    const { loss: before } = await trainer.evaluate(data);
    for (let step = 0; step < 120; step++) await trainer.trainStep(data);
    expect((await trainer.evaluate(data)).loss).toBeLessThan(before);
    expect(trainer.model.graph.inputs[0]?.shape.slice(2)).toEqual(["height", "width"]);
    await trainer.dispose();
  });

  it("come from the data in every call that is given data", async () => {
    const data = images([1, 8, 12], 10);
    const ranked = await advise(await spatial(), data, { units: 2 });
    expect(ranked[0]?.perFlop).toBeGreaterThan(0);
    expect(await diagnose(await spatial(), data)).toHaveLength(2);
  });

  it("must be known to a gradient that needs them", async () => {
    await expect(Trainer.create(await spatial())).rejects.toMatchObject({
      code: "UNSUPPORTED_OPERATOR",
      message: expect.stringMatching(/needs spatial sizes that are numbers[\s\S]*--sizes/),
    });
  });

  it.each([
    [{ hieght: 8, width: 8 }, /size "hieght"[\s\S]*Did you mean height\?/],
    [{ batch: 8 }, /counts the examples of a batch[\s\S]*--batch/],
    [{ height: 0, width: 8 }, /at least 1/],
    [{ height: 8.5, width: 8 }, /whole number/],
  ])("are refused if they are none: %o", async (sizes, message) => {
    await expect(
      Trainer.create(await spatial(), { sizes: { ...sizes } as Record<string, number> }),
    ).rejects.toMatchObject({
      code: "ARGUMENT",
      message: expect.stringMatching(message),
    });
  });

  it("are refused if the data contradict them", async () => {
    const model = await spatial();
    const other = { sizes: { height: 8, width: 16 } };
    expect(() => taskFor(model, images([1, 8, 12], 10), other)).toThrow(
      /expects examples of shape \[1, 8, 16\]/,
    );
  });
});
