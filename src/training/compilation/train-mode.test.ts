import { describe, expect, it } from "vitest";
import { dataset } from "../../data/dataset.ts";
import { batchNorm } from "../../nn/batch-norm.ts";
import { dropout } from "../../nn/dropout.ts";
import { linear } from "../../nn/linear.ts";
import { sequential } from "../../nn/sequential.ts";
import { Random } from "../../tensor/random.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { sgd } from "../optimizers/sgd.ts";
import { Trainer } from "../trainer/trainer.ts";

const draws = new Random(3, "train mode");
const features = Float32Array.from({ length: 16 * 4 }, () => draws.normal() + 1);
const labels = Int32Array.from({ length: 16 }, (_, index) => index % 2);
const data = dataset({ features, labels, count: 16 });

describe("what differs while training", () => {
  it("BatchNormalization uses the batch's statistics and updates the running ones, which no gradient trains", async () => {
    const model = sequential([4], [linear(3), batchNorm(), linear(2)]);
    const trainer = await Trainer.create(model, { optimizer: sgd({ learningRate: 0 }), batchSize: 16 });
    expect(trainer.parameterCount).toBe(3 * 4 + 3 + 3 + 3 + 2 * 3 + 2);
    await trainer.trainStep(data);
    const parameter = (name: string) => trainer.model.graph.parameters.get(name) as Tensor<"float32">;
    const weight = parameter("hidden1.weight").data;
    for (let channel = 0; channel < 3; channel++) {
      const values = Array.from({ length: 16 }, (_, row) => {
        let sum = 0;
        for (let at = 0; at < 4; at++)
          sum += (features[row * 4 + at] as number) * (weight[channel * 4 + at] as number);
        return sum;
      });
      const mean = values.reduce((sum, value) => sum + value / 16, 0);
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2 / 16, 0);
      expect(parameter("norm1.mean").data[channel]).toBeCloseTo(0.1 * mean, 5);
      expect(parameter("norm1.variance").data[channel]).toBeCloseTo(0.9 + 0.1 * variance, 5);
    }
    await trainer.dispose();
  });

  it("keeps the running variance positive over a long run", async () => {
    const model = sequential([4], [linear(8), batchNorm(), linear(2)]);
    const trainer = await Trainer.create(model, { optimizer: sgd({ learningRate: 0.5 }), batchSize: 8 });
    for (let step = 0; step < 300; step++) await trainer.trainStep(data);
    const variance = trainer.model.graph.parameters.get("norm1.variance") as Tensor<"float32">;
    expect(Math.min(...variance.data)).toBeGreaterThan(0);
    await trainer.dispose();
  });

  it("Dropout draws a new mask in each training step, and drops nothing in evaluation", async () => {
    const model = sequential([4], [linear(32), dropout(0.5), linear(2)]);
    const make = () => Trainer.create(model, { optimizer: sgd({ learningRate: 0 }), batchSize: 16 });
    const [first, second] = [await make(), await make()];
    const losses = [];
    for (let step = 0; step < 4; step++) losses.push((await first.trainStep(data)).loss);
    const { loss } = await first.evaluate(data);
    // The weights do not change, so only masks can make losses differ.
    expect(new Set([...losses, loss]).size).toBe(5);
    const again = [];
    for (let step = 0; step < 4; step++) again.push((await second.trainStep(data)).loss);
    expect(again).toEqual(losses);
    await first.dispose();
    await second.dispose();
  });
});
