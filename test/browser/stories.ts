import type * as Espalier from "../../src/index.ts";

type Library = typeof Espalier;
type Trainer = Espalier.Trainer;
type Dataset = Espalier.Dataset;

/** How one run is set up: who applies the optimizer, and on what. */
export type Arm = Pick<Espalier.TrainerOptions, "update" | "providers" | "threads">;

export type Weights = Readonly<Record<string, readonly number[]>>;

/** A stretch of training on which two machines must agree. All of it can be stored as JSON. */
export interface Stretch {
  /** Training loss of each step. */
  readonly losses: readonly number[];
  /** Every trained entry, by parameter, at the end. */
  readonly weights: Weights;
  readonly evaluation: Readonly<Record<string, number>>;
}

/** A resumed checkpoint, and the training after it. */
export interface Resumed extends Stretch {
  readonly read: Weights;
}

export interface Story {
  /** Steps on the narrow net, a growth, steps on the wide one. */
  readonly before: Stretch;
  readonly growth: Pick<Espalier.GrowthRecord, "size" | "loss" | "output">;
  /** Over the whole training set, right before and after growing. */
  readonly evaluated: { readonly before: number; readonly after: number };
  readonly after: Stretch;
  /**
   * Written one step after the growth, in base64, and the weights then; `resumed` continues from it in the
   * same place.
   */
  readonly checkpoint: string;
  readonly written: Weights;
  readonly resumed: Resumed;
  readonly seconds: number;
}

const steps = 40;

/**
 * Two moons: train, widen, train, take a checkpoint, train to the end; then resume and repeat the last part.
 */
export async function story(espalier: Library, arm: Arm = {}): Promise<Story> {
  const started = performance.now();
  const data = espalier.twoMoons({ count: 256, noise: 0.15, seed: 3 });
  const model = espalier.mlp([2, 6, 2], { activation: "tanh", seed: 5 });
  const optimizer = espalier.adam({ learningRate: 0.01 });
  const trainer = await espalier.Trainer.create(model, { optimizer, batchSize: 32, seed: 7, ...arm });
  const before = await train(trainer, data, steps);
  const lossBefore = (await trainer.evaluate(data)).loss;
  const { size, loss, output } = await trainer.widen("hidden1", { by: 5 });
  const lossAfter = (await trainer.evaluate(data)).loss;
  // One step past the growth, in the middle of an epoch: new entries are younger than the old ones.
  const { weights: written } = await train(trainer, data, 1);
  const bytes = await trainer.checkpoint();
  const after = await train(trainer, data, steps);
  await trainer.dispose();
  const resumed = await goOn(espalier, bytes);
  return {
    before,
    growth: { size, loss, output },
    evaluated: { before: lossBefore, after: lossAfter },
    after,
    checkpoint: toBase64(bytes),
    written,
    resumed,
    seconds: (performance.now() - started) / 1000,
  };
}

/** The last part of the story from a checkpoint, written here or elsewhere. */
export async function resumeStory(espalier: Library, checkpoint: string): Promise<Resumed> {
  return goOn(espalier, fromBase64(checkpoint));
}

async function goOn(espalier: Library, bytes: Uint8Array): Promise<Resumed> {
  const trainer = await espalier.Trainer.resume(bytes);
  const read = weightsOf(trainer);
  const stretch = await train(trainer, espalier.twoMoons({ count: 256, noise: 0.15, seed: 3 }), steps);
  await trainer.dispose();
  return { ...stretch, read };
}

/** Hashes of the features and labels of `digits()`, and the result of training a small network on them. */
export async function digitsStory(espalier: Library) {
  const { train: training, test } = await espalier.digits();
  const trainer = await espalier.Trainer.create(espalier.mlp([64, 16, 10]), { seed: 1 });
  const stretch = await train(trainer, training, 60);
  const evaluation = await trainer.evaluate(test);
  const { output } = await trainer.widen("hidden1", { by: 8 });
  await trainer.dispose();
  return {
    counts: [training.count, test.count],
    hashes: [await hash(training.features), await hash(test.features)],
    stretch: { ...stretch, evaluation: { ...evaluation } },
    output,
  };
}

/** Codes of the errors that a browser must throw for paths. */
export async function pathErrors(espalier: Library): Promise<readonly string[]> {
  const trainer = await espalier.Trainer.create(espalier.mlp([2, 3, 2]));
  const asks = [
    () => trainer.save("x.onnx"),
    () => trainer.saveCheckpoint("x"),
    () => espalier.loadCsv("x.csv"),
  ];
  const errors: string[] = [];
  for (const ask of asks) {
    await ask().catch((error: unknown) => {
      errors.push(error instanceof espalier.EspalierError ? error.code : String(error));
    });
  }
  await trainer.dispose();
  return errors;
}

async function train(trainer: Trainer, data: Dataset, count: number): Promise<Stretch> {
  const losses: number[] = [];
  for (let step = 0; step < count; step++) losses.push((await trainer.trainStep(data)).loss);
  return { losses, weights: weightsOf(trainer), evaluation: { ...(await trainer.evaluate(data)) } };
}

function weightsOf({ model }: Trainer): Weights {
  const weights: Record<string, number[]> = {};
  for (const [name, { dtype, data }] of model.graph.parameters)
    if (dtype === "float32") weights[name] = Array.from(data as Float32Array);
  return weights;
}

async function hash(values: ArrayBufferView): Promise<string> {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
  return toBase64(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
