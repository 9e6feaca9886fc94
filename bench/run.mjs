/**
 * Measures espalier against its peers. Prints a table and writes results.json beside this file.
 *
 *   node run.mjs [--quick] [--markdown] [--only NAME,...] [--peers NAME,...]
 *
 * --quick     fewer rounds and shorter slices: a look, not a figure
 * --markdown  also replace the measured part of BENCHMARKS.md at the root of the project
 * --only      the workloads whose name contains one of these
 * --peers     only these contestants beside espalier (torch, tfjs, jax)
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { analysisSentence, measureAnalysis } from "./analysis.mjs";
import { writeDataset } from "./dataset.mjs";
import { growMemorySentence, measureGrowMemory } from "./grow-memory.mjs";
import { measureWorkload } from "./measure.mjs";
import { measureMemory, memorySentence } from "./memory.mjs";
import { preparePython } from "./python.mjs";
import { machine, missingLines, plainTable, replaceMeasured, tableRows } from "./report.mjs";
import { roster } from "./roster.mjs";
import { measureScore, scoreSentence } from "./score.mjs";
import { measureWiden, widenSentence } from "./widen.mjs";
import { workloads } from "./workloads.mjs";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    markdown: { type: "boolean", default: false },
    only: { type: "string" },
    peers: { type: "string" },
  },
});
if (options.markdown && (options.only || options.peers))
  throw new Error("--markdown needs every workload and every peer: leave --only and --peers out");
const rounds = options.quick ? 3 : 9;
const settings = {
  rounds,
  sliceMs: options.quick ? 100 : 250,
  mostSteps: options.quick ? 100 : 300,
  say: (line) => process.stderr.write(`${line}\n`),
};

const wanted = (list, name) =>
  list === undefined ||
  list.split(",").some((part) => name.toLowerCase().includes(part.trim().toLowerCase()));
const torchWanted = wanted(options.peers, "PyTorch");
const contestants = roster(torchWanted ? preparePython() : { missing: "not asked for" }).filter(
  ({ name }) => name === "espalier" || wanted(options.peers, name),
);

const folder = mkdtempSync(join(tmpdir(), "espalier-bench-"));
const results = [];
try {
  for (const workload of workloads.filter(({ name }) => wanted(options.only, name))) {
    const files = writeDataset(workload, folder);
    const entries = await measureWorkload(workload, files, contestants, settings);
    results.push({ workload, entries });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** A measurement that fails is reported, and does not fail the run. */
async function attempt(what, measure, sentence) {
  settings.say(what);
  try {
    return sentence(await measure());
  } catch (error) {
    return `Missing: ${error.message}`;
  }
}
const widen = options.only ? undefined : await attempt("pause of growing", measureWiden, widenSentence);
const score = options.only ? undefined : await attempt("scoring a width", measureScore, scoreSentence);
const memory = options.only
  ? undefined
  : await attempt("memory over 200 growths", measureMemory, memorySentence);

const analysis = options.only
  ? undefined
  : await attempt("analysis of long chains", measureAnalysis, analysisSentence);

const growMemory = options.only
  ? undefined
  : await attempt("memory of growing a file", measureGrowMemory, growMemorySentence);

const report = {
  date: new Date().toISOString().slice(0, 10),
  machine: machine(),
  rounds,
  results,
  widen,
  score,
  memory,
  analysis,
  growMemory,
};
writeFileSync(new URL("results.json", import.meta.url), `${JSON.stringify(report, null, 2)}\n`);
if (options.markdown) {
  const page = new URL("../BENCHMARKS.md", import.meta.url);
  writeFileSync(page, replaceMeasured(readFileSync(page, "utf8"), report));
}
process.stdout.write(`${plainTable(tableRows(results))}\n\nratio: the peer's time over espalier's\n`);
for (const line of missingLines(results)) process.stdout.write(`${line}\n`);
if (widen) process.stdout.write(`\n${widen}\n`);
if (score) process.stdout.write(`${score}\n`);
if (memory) process.stdout.write(`${memory}\n`);
if (analysis) process.stdout.write(`${analysis}\n`);
if (growMemory) process.stdout.write(`${growMemory}\n`);
