import { unitLayout } from "../../graph/layout.ts";
import { attend, causalMask, joinHeads, positionsOf, splitHeads } from "../architecture/attention.ts";
import type { Net } from "../architecture/net.ts";
import { type Rotary, readRotary, rotaryTables } from "../architecture/rotary.ts";
import type { ClassRule, Section, Sizes, State, Structure } from "../architecture/structure.ts";
import type { Config } from "../folder/config.ts";
import { type Experts, expertParts, gatedMlp, projectionsOf, sparseMlp } from "./experts.ts";

/** How a decoder of Llama's kind differs from Llama. */
export interface DecoderOptions {
  readonly kvDefault?: number;
  readonly headDimDefault?: number;
  /** Units of the MLP of layers without experts; there is no default in models that have no experts. */
  readonly ffnDefault?: number;
  readonly experts?: Experts;
  readonly epsilonDefault?: number;
  readonly tiedDefault?: boolean;
  readonly activation?: string;
  /** Kind of each layer, e.g. "sliding_attention"; full where absent. */
  readonly layerTypes?: readonly string[];
  /** Positions that a sliding layer looks back. */
  readonly window?: number | undefined;
  /** By kind of layer. */
  readonly rotary?: (headDim: number) => Readonly<Record<string, Rotary>>;
  /** Of scores; default headDim^-½. */
  readonly scale?: number;
  readonly attentionCap?: number | undefined;
  readonly logitCap?: number | undefined;
  /** What a norm adds to the scale that it stores (Gemma's 1). */
  readonly normOffset?: number;
  /** Whether there are norms behind attention and MLP, too (Gemma 2 and 3). */
  readonly normsBehind?: boolean;
  /** Whether embeddings are multiplied by √hidden. */
  readonly scaledEmbeddings?: boolean;
  /** Whether layer_types is a field of the class. */
  readonly typedLayers?: boolean;
  /** Fields beside head_dim that are written so that they stay. */
  readonly pinned?: Readonly<Record<string, unknown>>;
}

const full = "full_attention";
const sliding = "sliding_attention";

/** A decoder with rotary positions, RMSNorm before each branch and a gated MLP, as Llama and its kin are. */
export function decoder(
  config: Config,
  has: (name: string) => boolean,
  fixedHeadDim: number | undefined,
  options: DecoderOptions = {},
): Structure {
  const hidden = config.count("hidden_size");
  const heads = config.few("num_attention_heads");
  const kv = config.keys().includes("num_key_value_heads")
    ? config.few("num_key_value_heads", heads)
    : (options.kvDefault ?? heads);
  if (heads % kv !== 0) {
    config.refuse("num_attention_heads", `must be a multiple of num_key_value_heads (${kv})`, heads);
  }
  const headDim =
    fixedHeadDim ?? config.few("head_dim", options.headDimDefault ?? Math.floor(hidden / heads));
  const layers = config.few("num_hidden_layers");
  const epsilon = config.number("rms_norm_eps", options.epsilonDefault ?? 1e-6);
  const activation = options.activation ?? config.text("hidden_act", "silu");
  const tied = config.flag("tie_word_embeddings", options.tiedDefault ?? false) && !has("lm_head.weight");
  const types = options.layerTypes ?? Array.from({ length: layers }, () => full);
  const rotaries = options.rotary?.(headDim) ?? { [full]: readRotary(config, headDim) };
  const offset = options.normOffset ?? 0;
  const { experts } = options;
  const parts = experts === undefined ? undefined : expertParts(experts, "model.layers.");
  const isSparse = (index: number) => experts?.sparse[index] === true;
  const denseField = experts?.fields.expertFfn?.includes("intermediate_size") !== true;
  const sizes: Sizes = {
    hidden,
    heads,
    kv,
    headDim,
    layers,
    ...(denseField ? { ffn: config.count("intermediate_size", options.ffnDefault) } : {}),
    ...parts?.sizes,
    vocab: config.count("vocab_size"),
    positions: config.count("max_position_embeddings", 2048),
  };
  const norm = (net: Net, x: string, name: string) => net.rmsNorm(x, name, epsilon, offset);
  const rotaryOf = (type: string) => (rotaries[type] === undefined ? full : type);

  const embeddings: Section = {
    name: "embeddings",
    build(net, { ids }) {
      const positions = positionsOf(net, ids as string);
      const rows = net.lookup("model.embed_tokens.weight", ids as string);
      const state: Record<string, string> = {
        h: options.scaledEmbeddings === true ? net.scaled(rows, Math.sqrt(hidden)) : rows,
      };
      for (const type of new Set(types)) {
        state[`mask ${type}`] = causalMask(net, positions, type === sliding ? options.window : undefined);
      }
      for (const type of new Set(types.map(rotaryOf))) {
        const { cos, sin } = rotaryTables(net, positions, rotaries[type] as Rotary);
        state[`cos ${type}`] = cos;
        state[`sin ${type}`] = sin;
      }
      return state;
    },
  };

  const attention = (net: Net, x: string, name: string, type: string, state: State) => {
    const fused = net.has(`${name}.qkv_proj.weight`);
    const projected = fused
      ? net.split(net.linear(x, `${name}.qkv_proj`), 2, [heads * headDim, kv * headDim, kv * headDim])
      : ["q", "k", "v"].map((one) => net.linear(x, `${name}.${one}_proj`));
    const [q, k, v] = projected.map((one, at) => {
      const cut = { groups: kv, queries: at === 0 ? heads / kv : 1, headDim };
      const own = splitHeads(net, one, cut);
      const scale = `${name}.${at === 0 ? "q" : "k"}_norm`;
      return at < 2 && net.has(`${scale}.weight`) ? norm(net, own, scale) : own;
    }) as [string, string, string];
    const table = rotaryOf(type);
    const summed = attend(net, [q, k, v], {
      scale: options.scale ?? headDim ** -0.5,
      softcap: options.attentionCap,
      mask: state[`mask ${type}`] as string,
      turned: { cos: state[`cos ${table}`] as string, sin: state[`sin ${table}`] as string },
    });
    return net.linear(joinHeads(net, summed), `${name}.o_proj`);
  };

  const mlp = (net: Net, x: string, name: string) => {
    if (!net.has(`${name}.gate_up_proj.weight`)) {
      return gatedMlp(net, x, projectionsOf(name), activation);
    }
    const units = sizes.ffn as number;
    const [gate, up] = net.split(net.linear(x, `${name}.gate_up_proj`), 2, [units, units]);
    const hiddenUnits = net.multiply(net.activation(gate as string, activation), up as string);
    return net.linear(hiddenUnits, `${name}.down_proj`);
  };

  const layer = (index: number): Section => ({
    name: `layer ${index}`,
    build(net, state) {
      const name = `model.layers.${index}`;
      const type = types[index] ?? full;
      const behind = (x: string, which: string) =>
        options.normsBehind === true ? norm(net, x, `${name}.${which}`) : x;
      const h = state.h as string;
      const attended = attention(
        net,
        norm(net, h, `${name}.input_layernorm`),
        `${name}.self_attn`,
        type,
        state,
      );
      const middle = net.add(h, behind(attended, "post_attention_layernorm"));
      const before = options.normsBehind === true ? "pre_feedforward_layernorm" : "post_attention_layernorm";
      const inner = norm(net, middle, `${name}.${before}`);
      const out =
        experts !== undefined && isSparse(index)
          ? sparseMlp(net, inner, name, experts, activation)
          : mlp(net, inner, `${name}.mlp`);
      return { ...state, h: net.add(middle, behind(out, "post_feedforward_layernorm")) };
    },
  });

  const head: Section = {
    name: "head",
    build(net, { h }) {
      const last = norm(net, h as string, "model.norm");
      const logits = net.linear(last, tied ? "model.embed_tokens" : "lm_head");
      return { logits: net.capped(logits, options.logitCap) };
    },
  };

  const each = <T>(make: (name: string) => T) =>
    Array.from({ length: layers }, (_, index) => make(`model.layers.${index}`));
  const spread = Array.from({ length: kv }, () => ({ inner: headDim }));
  const fusedHeads = has("model.layers.0.self_attn.qkv_proj.weight");
  const fusedMlp = has("model.layers.0.mlp.gate_up_proj.weight");
  const query = (name: string) => `${name}.self_attn.${fusedHeads ? "qkv_proj" : "q_proj"}.weight`;
  const others = fusedHeads ? [{ fixed: 2 * kv * headDim }] : [];
  return {
    sizes,
    fields: {
      hidden: ["hidden_size"],
      ...(denseField ? { ffn: ["intermediate_size"] } : {}),
      ...parts?.fields,
      heads: ["num_attention_heads"],
      kv: ["num_key_value_heads"],
      layers: ["num_hidden_layers"],
      vocab: ["vocab_size"],
      positions: ["max_position_embeddings"],
    },
    inputs: [{ name: "ids", dtype: "int64", shape: ["batch", "sequence"], below: sizes.vocab as number }],
    sections: [embeddings, ...Array.from({ length: layers }, (_, index) => layer(index)), head],
    output: "logits",
    anchors: {
      hidden: [{ parameter: "model.embed_tokens.weight", axis: 1, layout: unitLayout, units: hidden }],
      ffn: each((name) => ({
        parameter: `${name}.mlp.${fusedMlp ? "gate_up_proj" : "gate_proj"}.weight`,
        axis: 0,
        layout: fusedMlp ? [{ inner: 1 }, { inner: 1 }] : [{ inner: 1 }],
        units: sizes.ffn as number,
      })).filter((_, index) => !isSparse(index)),
      ...parts?.anchors,
      kv: each((name) => ({
        parameter: query(name),
        axis: 0,
        layout: [
          { inner: (heads / kv) * headDim },
          ...(fusedHeads ? [{ inner: headDim }, { inner: headDim }] : []),
        ],
        units: kv,
      })),
      queries: each((name) => ({
        parameter: query(name),
        axis: 0,
        layout: [...spread, ...others],
        units: heads / kv,
      })),
    },
    vocabulary: ["model.embed_tokens.weight", ...(tied ? [] : ["lm_head.weight"])],
    positions: [],
    stacks: [
      {
        name: "layers",
        size: "layers",
        prefix: "model.layers.",
        count: layers,
        // A norm behind a branch is silenced itself: zeros before it would make its slope one over the root of epsilon.
        silenced:
          options.normsBehind === true
            ? /^(post_attention_layernorm|post_feedforward_layernorm)\.weight$/
            : /^(self_attn\.o_proj|(mlp|block_sparse_moe)\.((experts\.\d+|shared_expert)\.)?(down_proj|w2))\.(weight|bias)$/,
        lists: {
          ...(options.typedLayers === true
            ? { layer_types: (order: readonly number[]) => order.map((index) => types[index]) }
            : {}),
          ...parts?.lists,
        },
      },
    ],
    ...(parts === undefined ? {} : { experts: parts.experts }),
    tied,
    window: types.includes(sliding) ? options.window : undefined,
    lastNorm: ["model.norm.weight"],
    ...(options.normsBehind === true
      ? { addedNorms: /\.(post_attention_layernorm|post_feedforward_layernorm)\.weight$/ }
      : {}),
    ...(offset === 0 ? {} : { normOffset: { names: /norm\.weight$/, by: offset } }),
    ...(options.scaledEmbeddings === true
      ? { embeddingFactor: Math.sqrt, embedded: ["model.embed_tokens.weight"] }
      : {}),
    pinned: { head_dim: headDim, num_key_value_heads: kv, ...options.pinned },
    unused: /(^|\.)rotary_emb\.inv_freq$/,
    initializer: config.number("initializer_range", 0.02),
  };
}

/** The class asks for a hidden size that its heads divide, although the size of a head is a field of its own. */
export function headsDivideHidden(className: string, config: Config): readonly ClassRule[] {
  const [hidden, heads] = [config.count("hidden_size"), config.few("num_attention_heads")];
  if (hidden % heads === 0) return [];
  const next = Math.ceil(hidden / heads) * heads;
  return [
    {
      field: "hidden_size",
      rule: `must be a multiple of num_attention_heads (${heads}) for ${className}`,
      received: hidden,
      remedy: `The next that is: hidden_size ${next}.`,
    },
  ];
}
