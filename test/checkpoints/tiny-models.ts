import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeSafetensors } from "../../src/formats/safetensors.ts";
import { Random } from "../../src/tensor/random.ts";
import { float32, sizeOf, type Tensor } from "../../src/tensor/tensor.ts";

type Shapes = Readonly<Record<string, readonly number[]>>;

/** A configuration and the tensors that its class stores. */
export interface TinyModel {
  readonly config: Readonly<Record<string, unknown>>;
  readonly shapes: Shapes;
}

/** Writes a folder with random weights; scales of norms are about 1. */
export async function writeModel(folder: string, { config, shapes }: TinyModel): Promise<void> {
  const draws = new Random(7, "tiny models");
  const tensors = new Map<string, Tensor>();
  for (const [name, dims] of Object.entries(shapes)) {
    const about = /norm\w*\.weight$/.test(name) ? 1 : 0;
    const deviation = dims.length === 1 ? 0.2 : sizeOf(dims.slice(1)) ** -0.5;
    const data = Float32Array.from({ length: sizeOf(dims) }, () => about + deviation * draws.normal());
    tensors.set(name, float32(dims, data));
  }
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "config.json"), JSON.stringify(config, null, 2));
  await writeFile(join(folder, "model.safetensors"), encodeSafetensors(tensors, new Map([["format", "pt"]])));
}

const under = (prefix: string, shapes: Shapes): Shapes =>
  Object.fromEntries(Object.entries(shapes).map(([name, dims]) => [`${prefix}${name}`, dims]));
const repeated = (count: number, make: (index: number) => Shapes): Shapes =>
  Object.assign({}, ...Array.from({ length: count }, (_, index) => make(index)));
/** A weight and its bias. */
const biased = (name: string, ...dims: readonly number[]): Shapes => ({
  [`${name}.weight`]: dims,
  [`${name}.bias`]: dims.slice(0, 1),
});

const [hidden, ffn] = [8, 12];

const vitLayer: Shapes = {
  ...repeated(3, (at) => biased(`attention.attention.${["query", "key", "value"][at]}`, hidden, hidden)),
  ...biased("attention.output.dense", hidden, hidden),
  ...biased("intermediate.dense", ffn, hidden),
  ...biased("output.dense", hidden, ffn),
  ...biased("layernorm_before", hidden),
  ...biased("layernorm_after", hidden),
};

const vit: TinyModel = {
  config: {
    model_type: "vit",
    hidden_size: hidden,
    intermediate_size: ffn,
    num_attention_heads: 2,
    num_hidden_layers: 2,
    image_size: 4,
    patch_size: 2,
    num_channels: 1,
  },
  shapes: {
    "vit.embeddings.cls_token": [1, 1, hidden],
    "vit.embeddings.position_embeddings": [1, 5, hidden],
    ...biased("vit.embeddings.patch_embeddings.projection", hidden, 1, 2, 2),
    ...repeated(2, (index) => under(`vit.encoder.layer.${index}.`, vitLayer)),
    ...biased("vit.layernorm", hidden),
    ...biased("classifier", 3, hidden),
  },
};

const t5Attention = (module: string): Shapes => ({
  ...Object.fromEntries(["q", "k", "v"].map((one) => [`${module}.${one}.weight`, [6, hidden]])),
  [`${module}.o.weight`]: [hidden, 6],
  "layer_norm.weight": [hidden],
});
const t5Mlp: Shapes = {
  "DenseReluDense.wi.weight": [ffn, hidden],
  "DenseReluDense.wo.weight": [hidden, ffn],
  "layer_norm.weight": [hidden],
};
const t5Stack = (stack: string, layers: number): Shapes => ({
  [`${stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`]: [6, 2],
  ...repeated(layers, (index) =>
    under(`${stack}.block.${index}.`, {
      ...under("layer.0.", t5Attention("SelfAttention")),
      ...(stack === "encoder" ? {} : under("layer.1.", t5Attention("EncDecAttention"))),
      ...under(`layer.${stack === "encoder" ? 1 : 2}.`, t5Mlp),
    }),
  ),
  [`${stack}.final_layer_norm.weight`]: [hidden],
});

const t5: TinyModel = {
  config: {
    model_type: "t5",
    d_model: hidden,
    d_kv: 3,
    d_ff: ffn,
    num_heads: 2,
    num_layers: 2,
    num_decoder_layers: 1,
    vocab_size: 11,
    relative_attention_num_buckets: 6,
    relative_attention_max_distance: 10,
  },
  shapes: { "shared.weight": [11, hidden], ...t5Stack("encoder", 2), ...t5Stack("decoder", 1) },
};

const whisperAttention = (name: string): Shapes => ({
  ...repeated(3, (at) => biased(`${name}.${["q", "v", "out"][at]}_proj`, hidden, hidden)),
  [`${name}.k_proj.weight`]: [hidden, hidden],
  ...biased(`${name}_layer_norm`, hidden),
});
const whisperLayer = (stack: string): Shapes => ({
  ...whisperAttention("self_attn"),
  ...(stack === "encoder" ? {} : whisperAttention("encoder_attn")),
  ...biased("fc1", ffn, hidden),
  ...biased("fc2", hidden, ffn),
  ...biased("final_layer_norm", hidden),
});
const whisperStack = (stack: string, layers: number): Shapes => ({
  ...repeated(layers, (index) => under(`model.${stack}.layers.${index}.`, whisperLayer(stack))),
  ...biased(`model.${stack}.layer_norm`, hidden),
});

const whisper: TinyModel = {
  config: {
    model_type: "whisper",
    d_model: hidden,
    encoder_layers: 1,
    decoder_layers: 2,
    encoder_attention_heads: 2,
    decoder_attention_heads: 2,
    encoder_ffn_dim: ffn,
    decoder_ffn_dim: ffn,
    num_mel_bins: 3,
    max_source_positions: 6,
    max_target_positions: 40,
    vocab_size: 11,
  },
  shapes: {
    ...biased("model.encoder.conv1", hidden, 3, 3),
    ...biased("model.encoder.conv2", hidden, hidden, 3),
    "model.encoder.embed_positions.weight": [6, hidden],
    "model.decoder.embed_tokens.weight": [11, hidden],
    "model.decoder.embed_positions.weight": [40, hidden],
    ...whisperStack("encoder", 1),
    ...whisperStack("decoder", 2),
  },
};

/** The smallest models of families that Python's oracle alone would cover. */
export const tinyModels = { vit, t5, whisper };
