import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { decodeSafetensors } from "../../src/formats/safetensors.ts";
import { runCli, snapshot, withFolder } from "../cli-harness.ts";
import { tinyConfig, tinyFolder } from "./tiny-folder.ts";
import { tinyModels, writeModel } from "./tiny-models.ts";

interface Written {
  readonly steps: readonly { readonly field: string; readonly to: number; readonly method: string }[];
  readonly verification: {
    readonly preserved: boolean;
    readonly identical: boolean;
    readonly relative: number;
  };
}

async function grown(old: string, out: string, ...options: string[]): Promise<Written> {
  const { code, out: printed, err } = await runCli(["grow", old, "--out", out, "--json", ...options]);
  expect(err).toBe("");
  expect(code).toBe(0);
  return JSON.parse(printed) as Written;
}

/** A growth of the folder "old" must be refused with this message, and write nothing. */
async function refused(folder: string, options: readonly string[], message: RegExp): Promise<void> {
  const before = await snapshot(folder);
  const { code, err } = await runCli(["grow", join(folder, "old"), "--out", join(folder, "new"), ...options]);
  expect(err).toMatch(message);
  expect(code).not.toBe(0);
  expect(await snapshot(folder)).toEqual(before);
}

test("what has zero weights, is repeated or stands beside moves no bit, and only its numbers change in config.json", () =>
  withFolder(async (folder) => {
    const [old, out] = [join(folder, "old"), join(folder, "new")];
    await tinyFolder(old);
    await writeFile(join(old, "tokenizer.json"), "{}");
    await writeFile(join(old, "optimizer.pt"), "stale");
    const growth = [
      "--widen",
      "intermediate_size=x1.5,num_key_value_heads=4",
      "--deepen",
      "after=1",
      "--vocab",
      "+3",
    ];
    const { verification, steps } = await grown(old, out, ...growth);
    expect(verification).toMatchObject({ preserved: true, identical: true });
    expect(steps.map(({ field, to }) => [field, to])).toEqual([
      ["num_hidden_layers", 4],
      ["vocab_size", 32],
      ["num_key_value_heads", 4],
      ["intermediate_size", 60],
    ]);
    const expected = tinyConfig
      .replace(
        '"intermediate_size": 40, "num_hidden_layers": 3',
        '"intermediate_size": 60, "num_hidden_layers": 4',
      )
      .replace('"num_key_value_heads": 2', '"num_key_value_heads": 4')
      .replace('"vocab_size": 29', '"vocab_size": 32')
      .replace('"tie_word_embeddings": true', '"tie_word_embeddings": true,\n  "head_dim": 6');
    expect(await readFile(join(out, "config.json"), "utf8")).toBe(expected);
    expect(await readdir(out)).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
  }));

test.each([
  ["hidden_size=x2,num_attention_heads=x2", "copies"],
  ["hidden_size=32", "zero padding"],
])("a stream grows by %s with a tied head", (widen, method) =>
  withFolder(async (folder) => {
    await tinyFolder(join(folder, "old"));
    const { verification, steps } = await grown(join(folder, "old"), join(folder, "new"), "--widen", widen);
    expect(steps.at(-1)?.method).toBe(method);
    expect(verification.relative).toBeLessThan(2e-5);
  }),
);

type Tiny = keyof typeof tinyModels;

test.each<[Tiny, string, readonly string[], boolean]>([
  ["vit", "MLP, heads and depth", ["intermediate_size=+4,num_attention_heads=+1", "after=0"], true],
  ["vit", "a stream by copies", ["hidden_size=x2,num_attention_heads=x2"], false],
  ["vit", "a stream by means", ["hidden_size=+3"], false],
  ["t5", "MLP, heads and both stacks", ["d_ff=+4,num_heads=+1", "after=0", "encoder.after=1"], true],
  ["t5", "a stream by copies", ["d_model=x4"], false],
  ["t5", "a stream by zeros", ["d_model=+3"], false],
  ["whisper", "MLP of the encoder, depth of the decoder", ["encoder_ffn_dim=+4", "decoder.after=0,1"], true],
  ["whisper", "a stream by copies", ["d_model=x2,encoder_attention_heads=x2"], false],
])("%s grows by %s", (name, _, [widen = "", ...deepened], exact) =>
  withFolder(async (folder) => {
    const [old, out] = [join(folder, "old"), join(folder, "new")];
    await writeModel(old, tinyModels[name]);
    const deepen = deepened.flatMap((layers) => ["--deepen", layers]);
    const { verification, steps } = await grown(old, out, "--widen", widen, ...deepen);
    expect(steps.length).toBeGreaterThan(0);
    if (exact) expect(verification.identical).toBe(true);
    else expect(verification.relative).toBeLessThan(2e-5);
  }),
);

test.each<[Tiny, string, readonly string[], RegExp]>([
  [
    "whisper",
    "heads whose size would change",
    ["--widen", "encoder_attention_heads=4"],
    /would have to stay/,
  ],
  [
    "whisper",
    "one width at two sizes",
    ["--widen", "encoder_attention_heads=4,decoder_attention_heads=8"],
    /the same size/,
  ],
  ["whisper", "a stream by other than copies", ["--widen", "d_model=10"], /cannot grow exactly/],
  [
    "whisper",
    "a layer that one stack lacks",
    ["--deepen", "after=1"],
    /encoder can grow after layers 0 to 0[\s\S]*decoder\.after=/,
  ],
  [
    "t5",
    "a decoder deeper than its cache",
    ["--deepen", "decoder.after=0,0"],
    /must not exceed that of the encoder/,
  ],
])("%s refuses %s", (name, _, options, message) =>
  withFolder(async (folder) => {
    await writeModel(join(folder, "old"), tinyModels[name]);
    await refused(folder, options, message);
  }),
);

test("Whisper's listed heads follow the layers that they are in", () =>
  withFolder(async (folder) => {
    const [old, out] = [join(folder, "old"), join(folder, "new")];
    await writeModel(old, tinyModels.whisper);
    const spelled = '{ "max_length": 448.0, "alignment_heads": [[0, 1], [1, 0]] }';
    await writeFile(join(old, "generation_config.json"), spelled);
    await grown(old, out, "--deepen", "decoder.after=0,0");
    expect(await readFile(join(out, "generation_config.json"), "utf8")).toBe(
      '{ "max_length": 448.0, "alignment_heads": [[0,1],[3,0]] }',
    );
  }));

test("MLPs become experts, and experts are multiplied: the copies share what they write, and differ", () =>
  withFolder(async (folder) => {
    const [dense, sparse, twice] = ["dense", "sparse", "twice"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await tinyFolder(dense);
    const upcycled = await grown(dense, sparse, "--experts", "4", "--widen", "intermediate_size=48");
    expect(upcycled.verification).toMatchObject({ preserved: true });
    expect(JSON.parse(await readFile(join(sparse, "config.json"), "utf8"))).toMatchObject({
      model_type: "mixtral",
      num_local_experts: 4,
      num_experts_per_tok: 2,
      intermediate_size: 48,
      sliding_window: null,
    });
    const doubled = await grown(sparse, twice, "--widen", "num_local_experts=x2");
    expect(doubled.verification).toMatchObject({ preserved: true });
    expect(doubled.steps.map(({ field, to }) => [field, to])).toEqual([
      ["num_local_experts", 8],
      ["num_experts_per_tok", 4],
    ]);
    const before = decodeSafetensors(await readFile(join(sparse, "model.safetensors"))).tensors;
    const after = decodeSafetensors(await readFile(join(twice, "model.safetensors"))).tensors;
    const down = (tensors: typeof after, index: number) =>
      tensors.get(`model.layers.1.block_sparse_moe.experts.${index}.w2.weight`)?.data as Float32Array;
    const [first, second, old] = [down(after, 1), down(after, 5), down(before, 1)];
    expect(first.map((value, at) => (value + (second[at] as number)) / 2)).toEqual(old);
    expect(first.some((value) => value === 0) && second.some((value) => value === 0)).toBe(true);
    // What the old MLP wrote through its 40 units; the 8 new ones write nothing yet.
    expect(first.every((value, at) => value === 0 || second[at] === 0)).toBe(true);
    for (const [options, message] of [
      ["num_local_experts=x3", /power of two/],
      ["num_experts_per_tok=4", /grows with num_local_experts/],
    ] as const) {
      const { code, err } = await runCli(["grow", sparse, "--out", join(folder, "no"), "--widen", options]);
      expect(code).toBe(2);
      expect(err).toMatch(message);
    }
  }));

test("files of any size hold the same tensors", () =>
  withFolder(async (folder) => {
    const [old, whole, parts] = ["old", "whole", "parts"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await tinyFolder(old);
    await grown(old, whole, "--widen", "intermediate_size=64", "--seed", "3");
    await grown(old, parts, "--widen", "intermediate_size=64", "--seed", "3", "--max-shard-size", "20KB");
    expect((await readdir(parts)).length).toBeGreaterThan(4);
    const { out } = await runCli(["verify", whole, parts, "--json"]);
    expect(JSON.parse(out)).toMatchObject({ identical: true });
  }));

test.each([
  ["an unknown architecture", { model_type: "mystery" }, [], /must be one that espalier knows.*\n.*mystery/s],
  ["quantized weights", { quantization_config: { bits: 4 } }, [], /quantized weights cannot grow exactly/],
  [
    "a hidden size that is not that of its tensors",
    { hidden_size: 28, head_dim: 6 },
    [],
    /size 28 along axis 1/,
  ],
  ["a field that is none", {}, ["--widen", "intermediat_size=64"], /intermediate_size/],
  ["a smaller size", {}, ["--widen", "intermediate_size=8"], /Folders only grow/],
  [
    "heads that keys do not divide",
    {},
    ["--widen", "num_attention_heads=5"],
    /must be a multiple of num_key_value_heads/,
  ],
  [
    "a hidden size that heads do not divide",
    {},
    ["--widen", "hidden_size=26"],
    /LlamaConfig.*\n.*\n.*hidden_size 28/s,
  ],
  ["a layer that is not there", {}, ["--deepen", "after=3"], /after layers 0 to 2/],
  ["a stack that is not there", {}, ["--deepen", "encoder.after=1"], /no such stack of layers/],
  [
    "a strategy that looks at data",
    {},
    ["--widen", "intermediate_size=64", "--strategy", "tiny"],
    /Use random/,
  ],
  [
    "angles of another kind",
    { rope_scaling: { rope_type: "yarn", factor: 4 } },
    [],
    /must be default, linear or llama3/,
  ],
  ["a field of layers that nobody knows", { first_k_layers: 2 }, ["--deepen", "after=1"], /first_k_layers/],
] as const)("%s is refused, and nothing is written", (_, changes, options, message) =>
  withFolder(async (folder) => {
    await tinyFolder(join(folder, "old"), JSON.stringify({ ...JSON.parse(tinyConfig), ...changes }));
    await refused(folder, options, message);
  }),
);

test("a folder that has files is left alone, and so is an index that is not of these files", () =>
  withFolder(async (folder) => {
    const [old, out] = [join(folder, "old"), join(folder, "new")];
    await tinyFolder(old);
    await tinyFolder(out);
    const before = await snapshot(folder);
    const { err } = await runCli(["grow", old, "--out", out, "--vocab", "+1"]);
    expect(err).toMatch(/must be a new folder, or an empty one/);
    expect(await snapshot(folder)).toEqual(before);
    await writeFile(join(old, "model.safetensors.index.json"), '{"weight_map":{}}');
    expect((await runCli(["inspect", old])).err).toMatch(/must not have both/);
  }));
