/**
 * Peak resident memory of `espalier grow FILE` with its check, over the size of the grown file. Node, espalier and ONNX
 * Runtime take a fixed amount, which growing a tiny model shows, and which is subtracted.
 * Run alone it prints a sentence and fails where the limit is passed.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { calledAs } from "./own-process.mjs";

/** Times the grown file. */
export const limit = 2;
const tiny = { name: "tiny", sizes: [4, 8, 3], growth: "all=x2" };
const cases = [
  { name: "one matrix, its rows grown by 7 %", sizes: [512, 5000, 5000, 10], growth: "hidden1=+350" },
  { name: "one matrix, its columns grown by 7 %", sizes: [512, 5000, 5000, 10], growth: "hidden2=+350" },
  { name: "one matrix, both grown by 10 %", sizes: [512, 5000, 5000, 10], growth: "all=x1.1" },
  { name: "48 matrices, all doubled", sizes: Array(49).fill(384), growth: "all=x2" },
];

/** Gives `{ limit, fixedMB, runs: [{ name, fileMB, peakMB, ratio }] }`. */
export async function measureGrowMemory() {
  const { mlp, saveModel } = await import("../dist/index.js");
  const folder = mkdtempSync(join(tmpdir(), "espalier-bench-"));
  try {
    const measured = async ({ name, sizes, growth }) => {
      const [path, out] = [join(folder, "model.onnx"), join(folder, "grown.onnx")];
      await saveModel(mlp(sizes), path);
      const peakMB = peakOfGrow(path, out, growth);
      return { name, fileMB: statSync(out).size / 1e6, peakMB };
    };
    const { peakMB: fixedMB } = await measured(tiny);
    const runs = [];
    for (const one of cases) {
      const run = await measured(one);
      runs.push({ ...run, ratio: (run.peakMB - fixedMB) / run.fileMB });
    }
    return { limit, fixedMB, runs };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function peakOfGrow(path, out, growth) {
  const tell = 'process.on("exit", () => console.error("\\npeak", process.resourceUsage().maxRSS))';
  const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      "--import",
      `data:text/javascript,${encodeURIComponent(tell)}`,
      main,
      ...["grow", path, "--widen", growth, "--out", out, "--force"],
    ],
    { encoding: "utf8" },
  );
  const peak = stderr.match(/^peak (\d+)$/m)?.[1];
  if (status !== 0 || peak === undefined) throw new Error(stderr.trim() || `grow ended with code ${status}`);
  return (Number(peak) * 1024) / 1e6;
}

/** The result in words. */
export function growMemorySentence({ limit: most, fixedMB, runs }) {
  const parts = runs.map(
    ({ name, fileMB, peakMB, ratio }) =>
      `${name}: ${peakMB.toFixed(0)} MB for a file of ${fileMB.toFixed(0)} MB (${ratio.toFixed(2)} times)`,
  );
  return (
    `growing a file and checking it takes at most, beyond the ${fixedMB.toFixed(0)} MB that a tiny model takes, ` +
    `as times of the grown file: ${parts.join("; ")}. Limit: ${most}.`
  );
}

if (calledAs(import.meta.url) === "show") {
  const result = await measureGrowMemory();
  process.stdout.write(`${growMemorySentence(result)}\n`);
  if (Math.max(...result.runs.map(({ ratio }) => ratio)) > result.limit) process.exitCode = 1;
}
