/**
 * Resident memory over 200 growths in one process, against the growth of the parameters and Adam's two moments.
 * The first reading follows 50 training steps and precedes every growth, so what the engines set aside on first growing
 * and while training goes on is counted too. Each reading follows a full garbage collection.
 * Run alone it prints a sentence and fails where the limit is passed.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readDataset, writeDataset } from "./dataset.mjs";
import { calledAs, inOwnProcess } from "./own-process.mjs";

/** Megabytes (10⁶ bytes) beyond parameters and state. */
export const limit = 50;
const growths = 200;
const by = 4;
const stepsBetween = 5;
const workload = {
  name: "mlp-784-8-8-10",
  kind: "mlp",
  sizes: [784, 8, 8, 10],
  batch: 64,
  learningRate: 1e-3,
  examples: 1024,
};

/** Gives `{ growths, by, limit, sizes, stateMB, residentMB: number[] }`: resident growth after every 25 growths. */
export function measureMemory() {
  return inOwnProcess(import.meta.url, ["--expose-gc"]);
}

async function measure() {
  const { buildDataset, createTrainer, trainSteps } = await import("./espalier-api.mjs");
  const folder = mkdtempSync(join(tmpdir(), "espalier-bench-"));
  const data = buildDataset(workload, readDataset(writeDataset(workload, folder)));
  rmSync(folder, { recursive: true, force: true });
  const trainer = await createTrainer(workload, 1);
  await trainSteps(trainer, data, 50);
  const sizes = [...workload.sizes];
  const before = { resident: resident(), state: stateBytes(sizes) };
  const residentMB = [];
  for (let growth = 1; growth <= growths; growth++) {
    const layer = 1 + (growth % 2);
    await trainer.widen(`hidden${layer}`, { by });
    sizes[layer] += by;
    await trainSteps(trainer, data, stepsBetween);
    if (growth % 25 === 0) residentMB.push((resident() - before.resident) / 1e6);
  }
  return { growths, by, limit, sizes, stateMB: (stateBytes(sizes) - before.state) / 1e6, residentMB };
}

function resident() {
  globalThis.gc();
  return process.memoryUsage.rss();
}

/** Bytes of the parameters and both moments of Adam, float32. */
function stateBytes(sizes) {
  const parameters = sizes.slice(1).reduce((sum, outputs, index) => sum + (sizes[index] + 1) * outputs, 0);
  return parameters * 4 * 3;
}

/** The result in words. */
export function memorySentence({ growths: count, sizes, stateMB, residentMB, limit: most }) {
  const series = residentMB.map((megabytes) => megabytes.toFixed(0)).join(", ");
  return (
    `${count} growths from ${workload.sizes.join("-")} to ${sizes.join("-")}: resident memory grew by ` +
    `${residentMB.at(-1).toFixed(1)} MB (every 25 growths: ${series}), parameters and their state by ` +
    `${stateMB.toFixed(1)} MB. Limit: ${most} MB beyond parameters and state.`
  );
}

const called = calledAs(import.meta.url);
if (called === "measure") process.stdout.write(JSON.stringify(await measure()));
if (called === "show") {
  const result = await measureMemory();
  process.stdout.write(`${memorySentence(result)}\n`);
  if (result.residentMB.at(-1) > result.stateMB + limit) process.exitCode = 1;
}
