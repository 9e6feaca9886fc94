/**
 * How long training pauses when hidden1 of 784-1024-1024-10 (batch 256) is widened by 64, in units of its training
 * steps. The pause is what a user waits: the call of `widen` and what the first step afterwards takes beyond an
 * ordinary one. Run alone it prints a sentence and fails where the limit is passed.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readDataset, writeDataset } from "./dataset.mjs";
import { calledAs, inOwnProcess } from "./own-process.mjs";
import { quantile } from "./quantile.mjs";
import { workloads } from "./workloads.mjs";

/** Steps that a growth may cost. */
export const limit = 10;
const growths = 5;

/** Gives `{ by, limit, runs: [{ threads, stepMs, reportedMs: number[], pauseMs: number[] }] }`. */
export function measureWiden() {
  return inOwnProcess(import.meta.url);
}

async function measure() {
  const { buildDataset, createTrainer, trainSteps } = await import("./espalier-api.mjs");
  const workload = workloads.find(({ name }) => name === "mlp-784-1024-1024-10");
  const folder = mkdtempSync(join(tmpdir(), "espalier-bench-"));
  const data = buildDataset(workload, readDataset(writeDataset(workload, folder)));
  rmSync(folder, { recursive: true, force: true });
  const runs = [];
  for (const threads of [1, 2]) {
    const trainer = await createTrainer(workload, threads);
    const perStep = async (slices) => {
      const samples = [];
      for (let slice = 0; slice < slices; slice++) samples.push((await trainSteps(trainer, data, 5)).ms / 5);
      return quantile(samples, 0.5);
    };
    await trainSteps(trainer, data, 20);
    const stepMs = await perStep(7);
    const run = { threads, stepMs, reportedMs: [], pauseMs: [] };
    for (let growth = 0; growth < growths; growth++) {
      const start = performance.now();
      const record = await trainer.widen("hidden1", { by: 64 });
      const called = performance.now() - start;
      const first = (await trainSteps(trainer, data, 1)).ms;
      run.reportedMs.push(record.pauseMs);
      run.pauseMs.push(called + Math.max(0, first - (await perStep(3))));
    }
    runs.push(run);
    await trainer.dispose?.();
  }
  return { by: 64, limit, runs };
}

/** The result in words. */
export function widenSentence({ by, limit: most, runs }) {
  const parts = runs.map(({ threads, stepMs, pauseMs, reportedMs }) => {
    const steps = (ms) => (ms / stepMs).toFixed(1);
    return (
      `at ${threads} thread${threads > 1 ? "s" : ""} it paused for ${steps(quantile(pauseMs, 0.5))} of its steps ` +
      `(median of ${pauseMs.length}; first ${steps(pauseMs[0])}, worst ${steps(Math.max(...pauseMs))}; ` +
      `the record says ${steps(quantile(reportedMs, 0.5))}; one step ${stepMs.toFixed(1)} ms)`
    );
  });
  return `Widening hidden1 of 784-1024-1024-10 by ${by}: ${parts.join("; ")}. Limit: ${most} steps.`;
}

const called = calledAs(import.meta.url);
if (called === "measure") process.stdout.write(JSON.stringify(await measure()));
if (called === "show") {
  const result = await measureWiden();
  process.stdout.write(`${widenSentence(result)}\n`);
  if (result.runs.some(({ stepMs, pauseMs }) => quantile(pauseMs, 0.5) >= limit * stepMs))
    process.exitCode = 1;
}
