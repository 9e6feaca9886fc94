/**
 * Time and memory of `espalier grow FOLDER`, without its check, against copying the new folder with fsync, in rounds that
 * alternate. Peers: a transformers script (load, resize by hand, save) and mergekit's passthrough, which stacks layers.
 *
 *   node grow-folder.mjs [--megabytes 3000] [--rounds 3] [--python PATH]
 *
 * --python  an interpreter with torch, transformers and, for that peer, mergekit; without it the peers are missing
 */

import { spawnSync } from "node:child_process";
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { calledAs } from "./own-process.mjs";
import { quantile } from "./quantile.mjs";

/** Times of a copy, and megabytes beyond what a tiny folder takes. */
export const limits = { ratio: 1.25, extraMB: 100 };

const tiny = { hidden: 64, ffn: 128, layers: 3, vocab: 256 };
const growths = [
  { name: "depth +25 %", options: (layers) => ["--deepen", `after=${every(layers, 4)}`] },
  { name: "MLP x1.25", options: () => ["--widen", "intermediate_size=x1.25"] },
  { name: "stream and heads x2", options: () => ["--widen", "hidden_size=x2,num_attention_heads=x2"] },
];

const every = (layers, step) =>
  Array.from({ length: Math.ceil(layers / step) }, (_, at) => at * step).join(",");

/** A Llama in bfloat16 of about so many megabytes, in files of at most 1 GB. */
function makeFolder(folder, { hidden, ffn, layers, vocab }) {
  mkdirSync(folder, { recursive: true });
  const config = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_size: hidden,
    intermediate_size: ffn,
    num_hidden_layers: layers,
    num_attention_heads: hidden / 64,
    num_key_value_heads: hidden / 64,
    vocab_size: vocab,
    rms_norm_eps: 1e-5,
    max_position_embeddings: 2048,
    tie_word_embeddings: true,
    torch_dtype: "bfloat16",
  };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config, null, 2));
  const tensors = [["model.embed_tokens.weight", [vocab, hidden]]];
  for (let at = 0; at < layers; at++) {
    const layer = `model.layers.${at}`;
    for (const one of ["q", "k", "v", "o"])
      tensors.push([`${layer}.self_attn.${one}_proj.weight`, [hidden, hidden]]);
    for (const one of ["gate", "up"]) tensors.push([`${layer}.mlp.${one}_proj.weight`, [ffn, hidden]]);
    tensors.push([`${layer}.mlp.down_proj.weight`, [hidden, ffn]]);
    for (const one of ["input", "post_attention"])
      tensors.push([`${layer}.${one}_layernorm.weight`, [hidden]]);
  }
  tensors.push(["model.norm.weight", [hidden]]);
  const bytesOf = ([, shape]) => 2 * shape.reduce((product, size) => product * size, 1);
  const shards = [[]];
  let filled = 0;
  for (const tensor of tensors) {
    if (filled + bytesOf(tensor) > 1e9) {
      shards.push([]);
      filled = 0;
    }
    shards.at(-1).push(tensor);
    filled += bytesOf(tensor);
  }
  // Any values do: time does not depend on them. Small normal ones, so that nothing is denormal.
  const noise = Uint16Array.from({ length: 2 ** 22 }, (_, at) => 0x3c00 + ((at * 40503) & 0x80ff));
  const bytes = new Uint8Array(noise.buffer);
  const map = {};
  shards.forEach((own, at) => {
    const file =
      shards.length === 1 ? "model.safetensors" : `model-${at + 1}-of-${shards.length}.safetensors`;
    const header = { __metadata__: { format: "pt" } };
    let begin = 0;
    for (const tensor of own) {
      header[tensor[0]] = { dtype: "BF16", shape: tensor[1], data_offsets: [begin, begin + bytesOf(tensor)] };
      begin += bytesOf(tensor);
      map[tensor[0]] = file;
    }
    const text = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.length));
    const descriptor = openSync(join(folder, file), "w");
    writeSync(descriptor, length);
    writeSync(descriptor, text);
    for (let left = begin; left > 0; left -= bytes.length)
      writeSync(descriptor, bytes, 0, Math.min(left, bytes.length));
    fsyncSync(descriptor);
    closeSync(descriptor);
  });
  if (shards.length > 1) {
    const index = { metadata: { total_size: 0 }, weight_map: map };
    writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify(index));
  }
}

/** Copies the files of a folder one after the other, each to the disk. Seconds. */
function copyFolder(from, to) {
  const began = process.hrtime.bigint();
  mkdirSync(to);
  const piece = Buffer.alloc(2 ** 23);
  for (const name of readdirSync(from)) {
    const [source, target] = [openSync(join(from, name), "r"), openSync(join(to, name), "wx")];
    for (let count = readSync(source, piece); count > 0; count = readSync(source, piece))
      writeSync(target, piece, 0, count);
    fsyncSync(target);
    closeSync(target);
    closeSync(source);
  }
  return Number(process.hrtime.bigint() - began) / 1e9;
}

const bytesOfFolder = (folder) =>
  readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);

/** Runs a command line of espalier: seconds, and its peak of memory in megabytes. */
function grow(args) {
  const tell = 'process.on("exit", () => console.error("\\npeak", process.resourceUsage().maxRSS))';
  const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
  const loader = `data:text/javascript,${encodeURIComponent(tell)}`;
  const began = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, ["--import", loader, main, "grow", ...args], {
    encoding: "utf8",
  });
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  const peak = stderr.match(/^peak (\d+)$/m)?.[1];
  if (status !== 0 || peak === undefined) throw new Error(stderr.trim() || `grow ended with code ${status}`);
  return { seconds, peakMB: (Number(peak) * 1024) / 1e6 };
}

/** What others take for the same, or nearly: seconds and megabytes, or why it is missing. */
function peer(python, script, args) {
  if (python === undefined) return { missing: "no --python" };
  const path = fileURLToPath(new URL(`peers/${script}`, import.meta.url));
  const { status, stdout, stderr } = spawnSync(python, [path, ...args], { encoding: "utf8" });
  if (status !== 0) return { missing: stderr.trim().split("\n").at(-1) };
  return JSON.parse(stdout.trim().split("\n").at(-1));
}

/** Gives `{ limits, fixedMB, runs: [{ name, newMB, copySeconds, seconds, ratio, extraMB, peers }] }`, medians of the rounds. */
export function measureGrowFolder({ megabytes = 3000, rounds = 3, python } = {}) {
  const root = mkdtempSync(join(tmpdir(), "espalier-bench-"));
  try {
    const [small, old, out, copy] = ["tiny", "old", "new", "copy"].map((name) => join(root, name));
    makeFolder(small, tiny);
    const fixedMB = grow([small, "--out", out, "--no-verify", "--deepen", "after=0"]).peakMB;
    rmSync(out, { recursive: true });
    const [hidden, ffn, vocab] = [1536, 4608, 32_000];
    const layerMB = (2 * (4 * hidden * hidden + 3 * hidden * ffn)) / 1e6;
    const layers = Math.max(4, Math.round((megabytes - (2 * hidden * vocab) / 1e6) / layerMB));
    makeFolder(old, { hidden, ffn, vocab, layers });
    const runs = growths.map(({ name, options }) => {
      const samples = [];
      let newMB = 0;
      for (let round = 0; round < rounds; round++) {
        const grown = grow([old, "--out", out, "--no-verify", ...options(layers)]);
        newMB = bytesOfFolder(out) / 1e6;
        const copySeconds = copyFolder(out, copy);
        samples.push({ ...grown, copySeconds });
        rmSync(out, { recursive: true });
        rmSync(copy, { recursive: true });
      }
      const median = (of) => quantile(samples.map(of), 0.5);
      return {
        name,
        newMB,
        copySeconds: median((one) => one.copySeconds),
        seconds: median((one) => one.seconds),
        ratio: median((one) => one.seconds / one.copySeconds),
        extraMB: Math.max(...samples.map(({ peakMB }) => peakMB)) - fixedMB,
      };
    });
    const peers = {
      "transformers, MLP x1.25": peer(python, "transformers_grow.py", [old, out]),
      "mergekit passthrough, depth +25 %": peer(python, "mergekit_grow.py", [old, `${out}-stacked`]),
    };
    return { limits, fixedMB, oldMB: bytesOfFolder(old) / 1e6, rounds, runs, peers };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** The result in words. */
export function growFolderSentence({ limits: most, oldMB, rounds, runs, peers }) {
  const parts = runs.map(
    ({ name, newMB, copySeconds, seconds, ratio, extraMB }) =>
      `${name}: ${seconds.toFixed(1)} s for ${newMB.toFixed(0)} MB, copying them takes ${copySeconds.toFixed(1)} s (ratio ${ratio.toFixed(2)}), ${extraMB.toFixed(0)} MB of memory`,
  );
  const others = Object.entries(peers).map(([name, { missing, seconds, peakMB }]) =>
    missing === undefined
      ? `${name}: ${seconds.toFixed(1)} s, ${peakMB.toFixed(0)} MB`
      : `${name}: missing (${missing})`,
  );
  return (
    `growing a folder of ${oldMB.toFixed(0)} MB in bfloat16 without its check, against copying the new one with fsync, medians of ${rounds}: ` +
    `${parts.join("; ")}. Limits: ratio ${most.ratio}, ${most.extraMB} MB beyond what a tiny folder takes. Peers: ${others.join("; ")}.`
  );
}

if (calledAs(import.meta.url) === "show") {
  const { values } = parseArgs({
    options: { megabytes: { type: "string" }, rounds: { type: "string" }, python: { type: "string" } },
  });
  const given = Object.entries(values).map(([key, text]) => [key, key === "python" ? text : Number(text)]);
  const result = measureGrowFolder(Object.fromEntries(given));
  process.stdout.write(`${growFolderSentence(result)}\n`);
  const passed = ({ ratio, extraMB }) => ratio <= limits.ratio && extraMB <= limits.extraMB;
  if (!result.runs.every(passed)) process.exitCode = 1;
}
