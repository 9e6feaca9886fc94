/**
 * All that the benchmarks ask of espalier, through its public entry in dist (`npm run build` at the root), so
 * that a change of the API is a change of this one file.
 */

import { readFileSync } from "node:fs";
import * as espalier from "../dist/index.js";
import { classCount, featureCount } from "./workloads.mjs";

export const version = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;

/** The network of a workload. Its widths are hidden1, hidden2, ... or conv1, conv2, ... */
export function buildModel(workload) {
  if (workload.kind === "mlp") return espalier.mlp(workload.sizes);
  const [channels, ...filters] = workload.channels;
  return espalier.cnn({
    input: [channels, workload.image, workload.image],
    filters,
    classes: workload.classes,
  });
}

/** The examples of a workload from `{ x, y }`, rows in the order that `order` gives. */
export function buildDataset(workload, { x, y }) {
  return espalier.dataset({
    name: workload.name,
    features: x,
    featureDims:
      workload.kind === "mlp"
        ? [featureCount(workload)]
        : [workload.channels[0], workload.image, workload.image],
    labels: y,
    classes: classCount(workload),
  });
}

/** A trainer as a user would make it: cross-entropy and Adam with defaults, and the thread count. */
export function createTrainer(workload, threads) {
  return espalier.Trainer.create(buildModel(workload), {
    loss: "crossEntropy",
    optimizer: espalier.adam({ learningRate: workload.learningRate }),
    batchSize: workload.batch,
    threads,
  });
}

/**
 * Trains for `steps`; gives milliseconds and the last step's loss. The loss is read at every step by the trainer. Step by
 * step, not by `fit`: that ends with a forward run which makes sure of the last update, a sizeable part of so short a slice.
 */
export async function trainSteps(trainer, data, steps) {
  let loss = Number.NaN;
  const start = performance.now();
  for (let step = 0; step < steps; step++) ({ loss } = await trainer.trainStep(data));
  return { ms: performance.now() - start, loss };
}
