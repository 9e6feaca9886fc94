/**
 * What scoring one width takes: hidden1 of 784-256-10 by 128 candidates on a batch of 512, in units of the network's
 * training steps (batch 128), interleaved with them. Run alone it prints a sentence and fails where the limit is passed.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readDataset, writeDataset } from "./dataset.mjs";
import { calledAs, inOwnProcess } from "./own-process.mjs";
import { quantile } from "./quantile.mjs";
import { workloads } from "./workloads.mjs";

/** Steps that scoring may cost. */
export const limit = 5;
const rounds = 15;

/** Gives `{ limit, runs: [{ threads, stepMs, scoreMs: number[] }] }`. */
export function measureScore() {
  return inOwnProcess(import.meta.url);
}

async function measure() {
  const { buildDataset, createTrainer, trainSteps } = await import("./espalier-api.mjs");
  const workload = workloads.find(({ name }) => name === "mlp-784-256-10");
  const folder = mkdtempSync(join(tmpdir(), "espalier-bench-"));
  const data = buildDataset(workload, readDataset(writeDataset(workload, folder)));
  rmSync(folder, { recursive: true, force: true });
  const runs = [];
  for (const threads of [1, 2]) {
    const trainer = await createTrainer(workload, threads);
    const score = async () => {
      const start = performance.now();
      await trainer.score(data, { widths: ["hidden1"], examples: 512 });
      return performance.now() - start;
    };
    await trainSteps(trainer, data, 50);
    for (let warming = 0; warming < 5; warming++) await score();
    const steps = [];
    const scores = [];
    for (let round = 0; round < rounds; round++) {
      steps.push((await trainSteps(trainer, data, 20)).ms / 20);
      scores.push(await score());
    }
    runs.push({ threads, stepMs: quantile(steps, 0.5), scoreMs: scores });
    await trainer.dispose?.();
  }
  return { limit, runs };
}

/** The result in words. */
export function scoreSentence({ limit: most, runs }) {
  const parts = runs.map(({ threads, stepMs, scoreMs }) => {
    const steps = (ms) => (ms / stepMs).toFixed(1);
    return (
      `at ${threads} thread${threads > 1 ? "s" : ""} it takes ${steps(quantile(scoreMs, 0.5))} of its steps ` +
      `(median of ${scoreMs.length}; quartiles ${steps(quantile(scoreMs, 0.25))} to ${steps(quantile(scoreMs, 0.75))}; ` +
      `one step of 128 examples ${stepMs.toFixed(2)} ms)`
    );
  });
  return `Scoring hidden1 of 784-256-10 by 128 candidates on 512 examples: ${parts.join("; ")}. Limit: ${most} steps.`;
}

const called = calledAs(import.meta.url);
if (called === "measure") process.stdout.write(JSON.stringify(await measure()));
if (called === "show") {
  const result = await measureScore();
  process.stdout.write(`${scoreSentence(result)}\n`);
  if (result.runs.some(({ stepMs, scoreMs }) => quantile(scoreMs, 0.5) >= limit * stepMs))
    process.exitCode = 1;
}
