import { cpus, totalmem } from "node:os";
import { quantile } from "./quantile.mjs";

/** The machine and what ran on it, without anything that names the host. */
export function machine() {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch}`,
    node: process.version,
  };
}

/**
 * Rows of the table of results: for each workload and each of our thread counts our milliseconds per step, then for
 * every peer its milliseconds and the ratio of its time to ours (above 1: espalier is faster).
 */
export function tableRows(results) {
  const peers = [...new Set(results.flatMap(({ entries }) => entries.map(({ name }) => name)))].filter(
    (name) => name !== "espalier",
  );
  const head = [
    "workload",
    "batch",
    "threads",
    "espalier ms",
    ...peers.flatMap((peer) => [`${peer} ms`, "ratio"]),
  ];
  const rows = results.flatMap(({ workload, entries }) =>
    entries
      .filter(({ name }) => name === "espalier")
      .map((ours) => [
        workload.name,
        String(workload.batch),
        String(ours.threads),
        milliseconds(ours),
        ...peers.flatMap((peer) => {
          const theirs = peerEntry(entries, peer, ours.threads);
          return [milliseconds(theirs), ratio(theirs, ours)];
        }),
      ]),
  );
  return [head, ...rows];
}

/** A peer's entry at a thread count, or its one-thread entry if it has no other. */
export function peerEntry(entries, peer, threads) {
  const own = entries.filter(({ name }) => name === peer);
  return own.find((entry) => entry.threads === threads) ?? own[0];
}

function milliseconds(entry) {
  if (!entry || entry.missing) return "missing";
  return entry.ms < 10 ? entry.ms.toPrecision(3) : entry.ms.toFixed(entry.ms < 100 ? 1 : 0);
}

function ratio(theirs, ours) {
  return !theirs || theirs.missing || ours.missing ? "–" : (theirs.ms / ours.ms).toFixed(2);
}

/** Columns padded with spaces, for a terminal. */
export function plainTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join("  ");
  return rows.map(line).join("\n");
}

function markdownTable([head, ...rows]) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, column) => (column === 0 ? "---" : "---:"));
  return [head, rule, ...rows].map(line).join("\n");
}

function otherVariants({ variant, variants }) {
  const others = Object.entries(variants).filter(([name]) => name !== variant);
  return (
    others.map(([name, samples]) => `${name} ${quantile(samples, 0.5).toPrecision(3)}`).join(", ") || "–"
  );
}

/** Everything that was missing or gave up, one line each. */
export function missingLines(results) {
  return results.flatMap(({ workload, entries }) =>
    entries
      .filter(({ missing }) => missing)
      .map(
        ({ name, threads, missing }) =>
          `${workload.name}, ${name}, ${threads} threads: missing: ${missing.split("\n")[0].slice(0, 160)}`,
      ),
  );
}

/** The marks in BENCHMARKS.md around what a run writes. */
const begin = "<!-- measured: replaced by npm run bench -->";
const end = "<!-- end of measured -->";

/**
 * BENCHMARKS.md with its measured part replaced; everything outside the two marks stays. Throws if they are
 * missing.
 */
export function replaceMeasured(page, report) {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`BENCHMARKS.md needs the lines "${begin}" and "${end}"`);
  return `${page.slice(0, from + begin.length)}\n\n${measured(report)}\n${page.slice(to)}`;
}

/** The results of a run: machine, versions, date, the tables. */
function measured({ date, machine: on, rounds, results, widen, score, memory, analysis, growMemory }) {
  const entries = results.flatMap((result) => result.entries.filter(({ missing }) => !missing));
  const versions = new Map(entries.map(({ name, version }) => [name, version]));
  const missing = missingLines(results);
  return `- Date: ${date}; medians of ${rounds} rounds
- Machine: ${on.cpu}, ${on.cores} cores, ${on.memoryGiB} GiB, ${on.system}
- Node ${on.node}; ${[...versions].map(([name, version]) => `${name} ${version}`).join(", ")}

${markdownTable(tableRows(results))}

The fastest variant of each contestant counts:

${markdownTable([
  [
    "workload",
    "contestant",
    "threads",
    "variant",
    "median ms",
    "quartiles ms",
    "last loss",
    "other variants, median ms",
  ],
  ...results.flatMap(({ workload, entries: all }) =>
    all
      .filter(({ missing: none }) => !none)
      .map((entry) => [
        workload.name,
        entry.name,
        entry.note ? `${entry.threads} (${entry.note})` : String(entry.threads),
        entry.variant,
        entry.ms.toPrecision(3),
        `${entry.low.toPrecision(3)} to ${entry.high.toPrecision(3)}`,
        `${entry.loss.toPrecision(3)} after ${entry.trained} steps`,
        otherVariants(entry),
      ]),
  ),
])}
${widen ? `\nThe pause of growing: ${widen}\n` : ""}${score ? `\nScoring: ${score}\n` : ""}${memory ? `\nMemory over growths: ${memory}\n` : ""}${analysis ? `\nLong chains: ${analysis}\n` : ""}${growMemory ? `\nMemory of growing a file: ${growMemory}\n` : ""}${
  missing.length > 0 ? `\nMissing:\n\n${missing.map((line) => `- ${line}`).join("\n")}\n` : ""
}`;
}
