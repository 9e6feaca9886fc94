import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { openCheckpoint } from "../../src/checkpoints/checkpoint.ts";
import { families } from "../../src/checkpoints/families/index.ts";
import { fieldsOf } from "../../src/checkpoints/grow/fields.ts";
import { planFolder } from "../../src/checkpoints/grow/plan-growth.ts";
import { writeFolder } from "../../src/checkpoints/grow/write-folder.ts";
import { random as drawn } from "../../src/growth/strategies/random.ts";
import { EspalierError } from "../../src/tensor/errors.ts";
import { Random } from "../../src/tensor/random.ts";
import { tinyFolder } from "../checkpoints/tiny-folder.ts";
import { lawRuns } from "../laws/seed.ts";
import { campaign } from "./campaign.ts";

const { seed, numRuns } = lawRuns("mutated folders", 200);

const configName = "config.json";
const indexName = "model.safetensors.index.json";

/** Keys of many classes, and what is none. */
const keys =
  "model_type hidden_size intermediate_size num_hidden_layers num_attention_heads num_key_value_heads head_dim vocab_size rms_norm_eps rope_theta rope_scaling rope_parameters max_position_embeddings tie_word_embeddings hidden_act hidden_activation layer_types sliding_window use_sliding_window max_window_layers attention_bias torch_dtype n_embd n_head n_layer n_inner query_pre_attn_scalar attn_logit_softcapping partial_rotary_factor auto_map quantization_config __proto__ constructor".split(
    " ",
  );

/** Values that break a rule, or nearly. */
const values =
  '0 -1 1 2 3 5 7 24 29 64 1.5 1e-5 1e9 1e15 9007199254740993 1e400 "x" "" null true false [] {} [3] ["full_attention"] ["sliding_attention","full_attention","full_attention"] {"rope_type":"linear","factor":2} {"rope_type":"llama3","factor":8} {"rope_type":"yarn"} {"full_attention":{}} "silu" "gelu" "relu"'.split(
    " ",
  );

const pieces =
  '{ } [ ] , : " \\ \\u0000 \\ud800 null 0 -1 1e9 1e400 "F32" "BF16" "dtype" "shape" [0,4] [[[[[[[[ {"a": é "weight_map" "metadata" "model.norm.weight" ".." "/" \t'.split(
    " ",
  );

type Files = ReadonlyMap<string, Uint8Array>;

const pick = <T>(list: readonly T[], random: Random) => list[random.integer(list.length)] as T;
const textOf = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Text in place of a few characters. */
function spliced(text: string, random: Random): string {
  const at = random.integer(text.length + 1);
  const piece = pick(pieces, random);
  return (
    text.slice(0, at) + piece.repeat(random.integer(50) === 0 ? 5000 : 1) + text.slice(at + random.integer(8))
  );
}

/** A configuration with another value of a key, or with a key more. */
function revalued(text: string, random: Random): string {
  const key = pick(keys, random);
  const value = key === "model_type" ? JSON.stringify(pick(families, random).type) : pick(values, random);
  const known = new RegExp(`"${key}": ("[^"]*"|[^,}\\n]*)`);
  return known.test(text)
    ? text.replace(known, () => `"${key}": ${value}`)
    : text.replace("{", () => `{"${key}": ${value},`);
}

/** A safetensors file with text changed in its header, whose length is put right. */
function withHeader(file: Uint8Array, random: Random): Uint8Array {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const header = bytesOf(spliced(textOf(file.subarray(8, 8 + length)), random));
  const bytes = new Uint8Array(8 + header.length + file.length - 8 - length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  bytes.set(file.subarray(8 + length), 8 + header.length);
  return random.integer(8) === 0 ? bytes.subarray(0, random.integer(bytes.length)) : bytes;
}

function mutate(start: Files, random: Random): Files {
  const files = new Map(start);
  for (let count = 1 + random.integer(3); count > 0; count--) {
    const names = [...files.keys()];
    const kind = random.integer(8);
    if (kind < 4) files.set(configName, bytesOf(revalued(textOf(files.get(configName)), random)));
    else if (kind === 4) files.set(configName, bytesOf(spliced(textOf(files.get(configName)), random)));
    else if (kind === 5) files.set(indexName, bytesOf(spliced(textOf(files.get(indexName)), random)));
    else if (kind === 6) {
      const name = pick(
        names.filter((one) => one.endsWith(".safetensors")),
        random,
      );
      files.set(name, withHeader(files.get(name) as Uint8Array, random));
    } else if (random.integer(4) === 0) files.delete(pick(names, random));
  }
  return files;
}

const growths = [
  "hidden_size",
  "intermediate_size",
  "num_attention_heads",
  "num_key_value_heads",
  "vocab_size",
];

/** What became of a folder: how far it came, or the code of its refusal. */
async function run(folder: string, random: Random): Promise<string> {
  let stage = "";
  try {
    const checkpoint = await openCheckpoint(folder);
    try {
      stage = "opened, then ";
      const fields = fieldsOf(checkpoint);
      const sizes = new Map(
        fields
          .filter(({ field }) => growths.includes(field) && random.integer(2) === 0)
          .map(({ field, size }) => [field, size * (1 + random.integer(2)) + random.integer(2)]),
      );
      const after = new Map([["", random.integer(2) === 0 ? [0] : []]] as const);
      const planned = planFolder(checkpoint, { sizes, after, strategy: drawn, seed: 0 });
      stage = "planned, then ";
      await writeFolder(checkpoint, planned, `${folder}.new`);
      return "grown";
    } finally {
      checkpoint.weights.close();
    }
  } catch (error) {
    if (error instanceof EspalierError) return `${stage}${error.code}`;
    throw error;
  }
}

/** A folder of three files, each with an index that says so. */
async function startFiles(root: string): Promise<Files> {
  const [whole, parts] = [join(root, "whole"), join(root, "parts")];
  await tinyFolder(whole);
  const checkpoint = await openCheckpoint(whole);
  const planned = planFolder(checkpoint, { sizes: new Map(), after: new Map(), strategy: drawn, seed: 0 });
  const { files } = await writeFolder(checkpoint, planned, parts, { maxShardBytes: 40_000 });
  checkpoint.weights.close();
  const names = [...files, configName, indexName];
  return new Map(
    await Promise.all(
      names.map(async (name) => [name, new Uint8Array(await readFile(join(parts, name)))] as const),
    ),
  );
}

test(
  "a mutated folder is opened, searched, planned and grown, or refused with a typed error",
  async () => {
    const root = await mkdtemp(join(tmpdir(), "espalier-fuzz-"));
    try {
      const start = await startFiles(root);
      await campaign(
        {
          seed,
          numRuns,
          maxSeconds: 3,
          maxGrowth: 2 ** 30,
          silence: 60,
          sampleEvery: 20,
          expected: ["grown", "FORMAT", "CONFIG", "opened, then NOT_GROWABLE"],
        },
        async (index) => {
          const random = new Random(seed, "folders", index);
          const folder = join(root, String(index));
          await mkdir(folder);
          for (const [name, bytes] of mutate(start, random)) await writeFile(join(folder, name), bytes);
          const outcome = await run(folder, random);
          await rm(folder, { recursive: true });
          await rm(`${folder}.new`, { recursive: true, force: true });
          return outcome;
        },
      );
    } finally {
      await rm(root, { recursive: true });
    }
  },
  30 * 60_000,
);
