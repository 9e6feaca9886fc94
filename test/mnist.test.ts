import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { adam, cosineRate, mlp, mnist, Trainer } from "../src/index.ts";

const folder = "../shared/data/mnist";

/** Test-set accuracy of an MLP that grows from 16 to 256 units, doubling each epoch, on 10,000 training images. */
async function grownAccuracy(seed: number): Promise<number> {
  const { train, test: held } = await mnist(folder, { flat: true });
  const batchSize = 64;
  const epochs = 12;
  const steps = epochs * Math.ceil(train.count / batchSize);
  const trainer = await Trainer.create(mlp([784, 16, 10], { dropout: 0.2, seed }), {
    optimizer: adam({ learningRate: cosineRate(2e-3, { steps, warmup: 50 }) }),
    batchSize,
    seed,
  });
  for (let epoch = 0; epoch < epochs; epoch++) {
    await trainer.fit(train, { epochs: 1 });
    const { size = 0 } = trainer.widths.find(({ id }) => id === "hidden1") ?? {};
    if (size >= 256) continue;
    const { output } = await trainer.widen("hidden1", { by: size });
    expect(output.preserved).toBe(true);
  }
  expect(trainer.widths.find(({ id }) => id === "hidden1")?.size).toBe(256);
  const { accuracy = 0 } = await trainer.evaluate(held);
  await trainer.dispose();
  return accuracy;
}

test.skipIf(!existsSync(folder))(
  "an MLP grown from 16 to 256 units reaches 95 % on MNIST",
  { timeout: 300_000 },
  async () => {
    const accuracies = [];
    for (const seed of [1, 2, 3]) accuracies.push(await grownAccuracy(seed));
    console.log(
      `MNIST, 16 → 256 units: ${accuracies.map((share) => `${(100 * share).toFixed(2)} %`).join(", ")}`,
    );
    expect(Math.min(...accuracies)).toBeGreaterThanOrEqual(0.95);
  },
);
