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

/** A peer's entry at a thread count, or its one-thread entry where it has no more. */
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

/** BENCHMARKS.md: machine, versions, date, how it was measured, the table. */
export function markdown({ date, machine: on, rounds, results, widen, memory }) {
  const entries = results.flatMap((result) => result.entries.filter(({ missing }) => !missing));
  const versions = new Map(entries.map(({ name, version }) => [name, version]));
  const missing = missingLines(results);
  return `# Benchmarks

Written by \`npm run bench\`; do not edit by hand.

- Date: ${date}
- Machine: ${on.cpu}, ${on.cores} cores, ${on.memoryGiB} GiB, ${on.system}
- Node ${on.node}; ${[...versions].map(([name, version]) => `${name} ${version}`).join(", ")}

Milliseconds for one training step: gather a batch, forward, backward, Adam, read the loss. A ratio is the peer's
time over espalier's; above 1 espalier is faster. PyTorch is compared at the same number of threads; tfjs and
jax-js have only one (below). Each figure is the median of ${rounds} rounds. In a round every contestant trains for
one slice after another, each in its own process and one at a time, so that whatever else the machine does hits
all alike. All train on the same examples from memory after at least 20 steps of warm-up. The peers visit the batches
in one fixed order; espalier's trainer makes its own order each epoch. Losses are there to show that everyone
learns; they are of single batches after different numbers of steps and do not rank anyone.

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

- PyTorch: CPU, eager; fused, foreach and for-loop Adam, and for the convolutional network channels-last too.
- tfjs and jax-js: their WebAssembly backends with SIMD. Neither has threads in Node, so their one-thread figure
  stands in both rows. Both get the help that an expert would give them. tfjs is measured "as is" and with "own
  gradients": matrix products that transpose first, since its own gradients leave the backend's fast kernels, and
  a convolution's filter gradient written as a convolution, since the backend has no kernel for it at all. jax-js
  runs its whole step under one \`jit\`, convolutions as nine shifted copies times a matrix, over ten times as
  fast there as its own convolution.
${widen ? `\n## The pause of growing\n\n${widen}\n` : ""}${memory ? `\n## Memory over growths\n\n${memory}\n` : ""}${
  missing.length > 0 ? `\n## Missing\n\n${missing.map((line) => `- ${line}`).join("\n")}\n` : ""
}`;
}
