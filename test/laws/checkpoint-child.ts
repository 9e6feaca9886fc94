import { dataset } from "../../src/data/dataset.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { Random } from "../../src/tensor/random.ts";
import { adam } from "../../src/training/optimizers/adam.ts";
import { Trainer } from "../../src/training/trainer/trainer.ts";

/** The run that the crash test kills repeatedly, and the one that it does not kill. */

export const totalSteps = 400;
const saveEvery = 2;

const draws = new Random(9, "checkpoint child");
const data = dataset({
  features: Float32Array.from({ length: 50 * 6 }, () => draws.normal()),
  featureDims: [6],
  labels: Int32Array.from({ length: 50 }, () => draws.integer(3)),
});

/** A fresh trainer of the run. */
export function begin(): Promise<Trainer> {
  return Trainer.create(mlp([6, 5, 3], { dropout: 0.2 }), {
    optimizer: adam({ learningRate: 1e-3 }),
    batchSize: 8,
    seed: 3,
  });
}

/** One step of the run: at every fiftieth it first grows, unless that growth was already done before a crash. */
export async function advance(trainer: Trainer): Promise<void> {
  const { step } = trainer;
  if (step % 50 === 25 && trainer.growths.at(-1)?.step !== step) await trainer.widen("hidden1", { by: 1 });
  await trainer.trainStep(data);
}

/** Continues from the folder's newest checkpoint, or from the start, and saves every other step. */
export async function run(folder: string, told: (step: number) => void): Promise<void> {
  let trainer: Trainer;
  try {
    trainer = await Trainer.resume(folder);
  } catch (error) {
    if ((error as { code?: string }).code !== "CHECKPOINT_MISSING") throw error;
    trainer = await begin();
  }
  while (trainer.step < totalSteps) {
    await advance(trainer);
    if (trainer.step % saveEvery !== 0) continue;
    await trainer.saveCheckpoint(folder);
    told(trainer.step);
  }
}
