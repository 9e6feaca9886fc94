import { unitLayout } from "../../graph/layout.ts";
import { attend, causalMask, joinHeads, positionsOf, splitHeads } from "../architecture/attention.ts";
import type { Net } from "../architecture/net.ts";
import { relativeBias } from "../architecture/relative.ts";
import type { Family, Section, Stack, State, Structure } from "../architecture/structure.ts";
import type { Config } from "../folder/config.ts";

/** T5 (Raffel et al., arXiv 1910.10683), also version 1.1 with a gated MLP and Flan-T5. */
export const t5: Family = {
  type: "t5",
  layerFields: ["num_layers", "num_decoder_layers"],
  read: t5Structure,
  rules: () => [],
};

const table = "shared.weight";

function t5Structure(config: Config, has: (name: string) => boolean): Structure {
  const [hidden, heads, headDim] = [config.count("d_model"), config.few("num_heads"), config.few("d_kv", 64)];
  const encoderLayers = config.few("num_layers");
  const sizes = {
    hidden,
    heads,
    headDim,
    ffn: config.count("d_ff"),
    encoderLayers,
    decoderLayers: config.few("num_decoder_layers", encoderLayers),
    vocab: config.count("vocab_size"),
  };
  const epsilon = config.number("layer_norm_epsilon", 1e-6);
  const { gated, activation } = feedForward(config);
  const tied = !has("lm_head.weight");
  const scaled = config.flag("scale_decoder_outputs", config.flag("tie_word_embeddings", true));
  const buckets = {
    count: config.count("relative_attention_num_buckets", 32),
    farthest: config.count("relative_attention_max_distance", 128),
  };
  const norm = (net: Net, x: string, name: string) => net.rmsNorm(x, name, epsilon);

  /** Attention of what `h` has to `source`, added to `h`. */
  const attention = (net: Net, h: string, name: string, module: string, state: State, source?: string) => {
    const read = norm(net, h, `${name}.layer_norm`);
    const [q, k, v] = ["q", "k", "v"].map((one) => {
      const projected = net.linear(one === "q" ? read : (source ?? read), `${name}.${module}.${one}`);
      return splitHeads(net, projected, { groups: heads, queries: 1, headDim });
    }) as [string, string, string];
    const { bias, mask } = source === undefined ? state : {};
    const scoring = {
      scale: 1,
      ...(bias === undefined ? {} : { bias }),
      ...(mask === undefined ? {} : { mask }),
    };
    return net.add(h, net.linear(joinHeads(net, attend(net, [q, k, v], scoring)), `${name}.${module}.o`));
  };

  const mlp = (net: Net, h: string, name: string) => {
    const [read, module] = [norm(net, h, `${name}.layer_norm`), `${name}.DenseReluDense`];
    const inner = net.activation(net.linear(read, `${module}.${gated ? "wi_0" : "wi"}`), activation);
    const units = gated ? net.multiply(inner, net.linear(read, `${module}.wi_1`)) : inner;
    return net.add(h, net.linear(units, `${module}.wo`));
  };

  /** The bias of the first layer, which later ones share. */
  const withBias = (net: Net, stack: string, { positions = "", ...state }: State): State => {
    const name = `${stack}.block.0.layer.0.SelfAttention.relative_attention_bias`;
    const bothWays = stack === "encoder";
    return { ...state, bias: relativeBias(net, positions, name, { ...buckets, bothWays }) };
  };

  const layer = (stack: "encoder" | "decoder", index: number): Section => ({
    name: `${stack} layer ${index}`,
    build(net, before) {
      const name = `${stack}.block.${index}.layer`;
      const state = index === 0 ? withBias(net, stack, before) : before;
      let h = attention(net, state.h as string, `${name}.0`, "SelfAttention", state);
      if (stack === "decoder") h = attention(net, h, `${name}.1`, "EncDecAttention", state, state.encoded);
      return { ...state, h: mlp(net, h, `${name}.${stack === "decoder" ? 2 : 1}`) };
    },
  });
  const layers = (stack: "encoder" | "decoder", count: number) =>
    Array.from({ length: count }, (_, index) => layer(stack, index));

  const encoderStart: Section = {
    name: "encoder embeddings",
    build: (net, { ids = "", ...state }) => ({
      ...state,
      h: net.lookup(table, ids),
      positions: positionsOf(net, ids),
    }),
  };
  const decoderStart: Section = {
    name: "decoder embeddings",
    build(net, { h = "", decoder_ids: ids = "" }) {
      const positions = positionsOf(net, ids);
      return {
        encoded: norm(net, h, "encoder.final_layer_norm"),
        h: net.lookup(table, ids),
        positions,
        mask: causalMask(net, positions),
      };
    },
  };
  const head: Section = {
    name: "head",
    build(net, { h = "" }) {
      const last = net.scaled(norm(net, h, "decoder.final_layer_norm"), scaled ? hidden ** -0.5 : 1);
      return { logits: net.linear(last, tied ? "shared" : "lm_head") };
    },
  };

  const named = (stack: "encoder" | "decoder", count: number) =>
    Array.from({ length: count }, (_, index) => `${stack}.block.${index}.layer`);
  const encoderNames = named("encoder", encoderLayers);
  const decoderNames = named("decoder", sizes.decoderLayers);
  const headsOf = (name: string) => ({
    parameter: `${name}.q.weight`,
    axis: 0,
    layout: [{ inner: headDim }],
    units: heads,
  });
  const stack = (name: "encoder" | "decoder", count: number): Stack => ({
    name,
    size: `${name}Layers`,
    prefix: `${name}.block.`,
    count,
    silenced: /^layer\.\d\.(SelfAttention\.o|EncDecAttention\.o|DenseReluDense\.wo)\.weight$/,
    once: /relative_attention_bias/,
    lists: {},
    ...(name === "decoder" ? { cachedBy: "encoder" } : {}),
  });
  return {
    sizes,
    fields: {
      hidden: ["d_model"],
      ffn: ["d_ff"],
      heads: ["num_heads"],
      encoderLayers: ["num_layers"],
      decoderLayers: ["num_decoder_layers"],
      vocab: ["vocab_size"],
    },
    inputs: [
      { name: "ids", dtype: "int64", shape: ["batch", "source"], below: sizes.vocab },
      { name: "decoder_ids", dtype: "int64", shape: ["batch", "sequence"], below: sizes.vocab },
    ],
    sections: [
      encoderStart,
      ...layers("encoder", encoderLayers),
      decoderStart,
      ...layers("decoder", sizes.decoderLayers),
      head,
    ],
    output: "logits",
    anchors: {
      hidden: [{ parameter: table, axis: 1, layout: unitLayout, units: hidden }],
      ffn: [...encoderNames.map((name) => `${name}.1`), ...decoderNames.map((name) => `${name}.2`)].map(
        (name) => ({
          parameter: `${name}.DenseReluDense.${gated ? "wi_0" : "wi"}.weight`,
          axis: 0,
          layout: unitLayout,
          units: sizes.ffn,
        }),
      ),
      // Heads of a stack share the bias, and so are one width; those that look at the encoder are one in each layer.
      heads: [
        ...["encoder", "decoder"].map((one) => headsOf(`${one}.block.0.layer.0.SelfAttention`)),
        ...decoderNames.map((name) => headsOf(`${name}.1.EncDecAttention`)),
      ],
    },
    vocabulary: [table, ...(tied ? [] : ["lm_head.weight"])],
    positions: [],
    stacks: [stack("encoder", encoderLayers), stack("decoder", sizes.decoderLayers)],
    tied,
    lastNorm: ["decoder.final_layer_norm.weight"],
    ...(scaled ? { headFactor: (size: number) => size ** -0.5 } : {}),
    pinned: { d_kv: headDim },
    unused: /EncDecAttention\.relative_attention_bias\.weight$/,
    initializer: config.number("initializer_factor", 1),
  };
}

/** "relu", "gated-gelu", "gated-silu": what the class makes of them. */
function feedForward(config: Config): { readonly gated: boolean; readonly activation: string } {
  const given = config.text("feed_forward_proj", "relu");
  if (given === "gated-gelu") return { gated: true, activation: "gelu_new" };
  const gated = given.startsWith("gated-");
  return { gated, activation: gated ? given.slice("gated-".length) : given };
}
