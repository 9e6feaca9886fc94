import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeSafetensors } from "../../src/formats/safetensors.ts";
import { Random } from "../../src/tensor/random.ts";
import { float32, sizeOf, type Tensor } from "../../src/tensor/tensor.ts";

/** A Llama of three layers with unequal sizes. Its numbers are written in careless forms. */
export const tinyConfig = `{
  "model_type": "llama", "hidden_size": 24,
  "intermediate_size": 40, "num_hidden_layers": 3,
  "num_attention_heads": 4, "num_key_value_heads": 2,
  "vocab_size": 29, "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "max_position_embeddings": 64,
  "tie_word_embeddings": true
}
`;

/** Writes it with random weights. */
export async function tinyFolder(folder: string, config = tinyConfig): Promise<void> {
  const draws = new Random(7, "tiny folder");
  const tensors = new Map<string, Tensor>();
  const add = (name: string, ...dims: number[]) => {
    const about = dims.length === 1 ? 1 : 0;
    const deviation = dims.length === 1 ? 0.2 : (dims.at(-1) as number) ** -0.5;
    const data = Float32Array.from({ length: sizeOf(dims) }, () => about + deviation * draws.normal());
    tensors.set(`${name}.weight`, float32(dims, data));
  };
  add("model.embed_tokens", 29, 24);
  for (let index = 0; index < 3; index++) {
    const layer = `model.layers.${index}`;
    for (const norm of ["input_layernorm", "post_attention_layernorm"]) add(`${layer}.${norm}`, 24);
    for (const [name, rows] of [
      ["q", 24],
      ["k", 12],
      ["v", 12],
      ["o", 24],
    ] as const) {
      add(`${layer}.self_attn.${name}_proj`, rows, 24);
    }
    for (const name of ["gate", "up"]) add(`${layer}.mlp.${name}_proj`, 40, 24);
    add(`${layer}.mlp.down_proj`, 24, 40);
  }
  add("model.norm", 24);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "config.json"), config);
  await writeFile(join(folder, "model.safetensors"), encodeSafetensors(tensors, new Map([["format", "pt"]])));
}
