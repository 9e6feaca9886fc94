import { EspalierError } from "../../tensor/errors.ts";

/**
 * The modules of a layer in the order in which a class creates them, which is that of `named_parameters()`.
 */
const decoderLayer = [
  "self_attn.q_proj",
  "self_attn.k_proj",
  "self_attn.v_proj",
  "self_attn.o_proj",
  "self_attn.q_norm",
  "self_attn.k_norm",
  "mlp.gate_proj",
  "mlp.up_proj",
  "mlp.down_proj",
  "input_layernorm",
  "post_attention_layernorm",
  "pre_feedforward_layernorm",
  "post_feedforward_layernorm",
];

const phi3Layer = [
  "self_attn.o_proj",
  "self_attn.qkv_proj",
  "mlp.gate_up_proj",
  "mlp.down_proj",
  "input_layernorm",
  "post_attention_layernorm",
];

/** By `model_type`. For a class that is not listed, an optimizer's state must name its parameters. */
const layers: ReadonlyMap<string, readonly string[]> = new Map([
  ...["llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text"].map(
    (type) => [type, decoderLayer] as const,
  ),
  ["phi3", phi3Layer],
]);

const before = ["model.embed_tokens"];
const after = ["model.norm", "lm_head"];
const leaves = ["weight", "bias"];

/**
 * Names of parameters in the order of `named_parameters()`, which files do not preserve; undefined if it is
 * not known.
 */
export function inModuleOrder(type: string, names: Iterable<string>): readonly string[] | undefined {
  const inner = layers.get(type);
  if (inner === undefined) return undefined;
  const places = [...names].map((name) => [name, placeOf(name, inner)] as const);
  return places.sort(([, a], [, b]) => compared(a, b)).map(([name]) => name);
}

/** The section, the layer, the module in it, and the index among the module's parameters. */
function placeOf(name: string, inner: readonly string[]): readonly number[] {
  const [, stem = "", leaf = ""] = /^(.*)\.([^.]+)$/.exec(name) ?? [];
  const [, layer, module = ""] = /^model\.layers\.(\d+)\.(.*)$/.exec(stem) ?? [];
  const at =
    layer !== undefined
      ? [1, Number(layer), inner.indexOf(module)]
      : before.includes(stem)
        ? [0, 0, before.indexOf(stem)]
        : [2, 0, after.indexOf(stem)];
  const place = [...at, leaves.indexOf(leaf)];
  if (place.every((one) => one >= 0)) return place;
  throw new EspalierError("FORMAT", {
    thing: `parameter "${name}"`,
    rule: "must have a known place in the order of the class's parameters",
    received: name,
    remedy: "Give the optimizer named parameters, or its state as safetensors (docs/checkpoints.md).",
  });
}

function compared(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((one, index) => one !== b[index]);
  return at < 0 ? 0 : (a[at] as number) - (b[at] as number);
}
