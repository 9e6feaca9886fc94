import { unitLayout } from "../../graph/layout.ts";
import { causalMask, positionsOf } from "../architecture/attention.ts";
import type { Net } from "../architecture/net.ts";
import type { Family, Section, Stack, State, Structure } from "../architecture/structure.ts";
import type { Config } from "../folder/config.ts";
import { fullAttention, headsDivide, refuseVariant } from "./classic.ts";

/** Whisper (Radford et al., arXiv 2212.04356): convolutions over a spectrogram, an encoder, and a decoder that writes text. */
export const whisper: Family = {
  type: "whisper",
  layerFields: ["encoder_layers", "decoder_layers", "num_hidden_layers"],
  read: whisperStructure,
  rules: (config) => headsDivide(config, "d_model", "encoder_attention_heads"),
};

/** Of PyTorch, which the class keeps. */
const epsilon = 1e-5;
const table = "model.decoder.embed_tokens.weight";
const places = "model.decoder.embed_positions.weight";

function whisperStructure(
  config: Config,
  has: (name: string) => boolean,
  fixedHeadDim: number | undefined,
): Structure {
  const [hidden, heads] = [config.count("d_model"), config.few("encoder_attention_heads")];
  if (config.few("decoder_attention_heads") !== heads) {
    refuseVariant(config, "decoder_attention_heads", "must equal encoder_attention_heads");
  }
  const sizes = {
    hidden,
    heads,
    headDim: fixedHeadDim ?? Math.floor(hidden / heads),
    encoderFfn: config.count("encoder_ffn_dim"),
    decoderFfn: config.count("decoder_ffn_dim"),
    encoderLayers: config.few("encoder_layers"),
    decoderLayers: config.few("decoder_layers"),
    vocab: config.count("vocab_size"),
    positions: config.count("max_target_positions", 448),
  };
  const activation = config.text("activation_function", "gelu");
  const frames = 2 * config.count("max_source_positions", 1500);
  const tied = config.flag("tie_word_embeddings", true) && !has("proj_out.weight");
  const norm = (net: Net, x: string, name: string) => net.layerNorm(x, name, epsilon);

  /** Attention of what `h` has to `source`, or to itself, added to `h`. */
  const attention = (net: Net, h: string, name: string, source?: string, mask?: string) => {
    const read = norm(net, h, `${name}_layer_norm`);
    const part = (one: string, x: string) => net.linear(x, `${name}.${one}_proj`);
    const from = source ?? read;
    const attended = fullAttention(net, [part("q", read), part("k", from), part("v", from)], sizes, mask);
    return net.add(h, part("out", attended));
  };
  const mlp = (net: Net, h: string, name: string) => {
    const inner = net.linear(norm(net, h, `${name}.final_layer_norm`), `${name}.fc1`);
    return net.add(h, net.linear(net.activation(inner, activation), `${name}.fc2`));
  };

  const encoderStart: Section = {
    name: "encoder embeddings",
    build(net, { features = "", ...state }) {
      const read = net.convolution(features, "model.encoder.conv1", { strides: [1], padding: 1 });
      const halved = net.convolution(net.activation(read, "gelu"), "model.encoder.conv2", {
        strides: [2],
        padding: 1,
      });
      const rows = net.transpose(net.activation(halved, "gelu"), [0, 2, 1]);
      return { ...state, h: net.add(rows, net.parameter("model.encoder.embed_positions.weight")) };
    },
  };
  const decoderStart: Section = {
    name: "decoder embeddings",
    build(net, { h = "", decoder_ids: ids = "" }) {
      const positions = positionsOf(net, ids);
      return {
        encoded: norm(net, h, "model.encoder.layer_norm"),
        h: net.add(net.lookup(table, ids), net.lookup(places, positions)),
        mask: causalMask(net, positions),
      };
    },
  };
  const layer = (stack: "encoder" | "decoder", index: number): Section => ({
    name: `${stack} layer ${index}`,
    build(net, { h: before = "", ...state }: State) {
      const name = `model.${stack}.layers.${index}`;
      let h = attention(net, before, `${name}.self_attn`, undefined, state.mask);
      if (stack === "decoder") h = attention(net, h, `${name}.encoder_attn`, state.encoded);
      return { ...state, h: mlp(net, h, name) };
    },
  });
  const head: Section = {
    name: "head",
    build: (net, { h = "" }) => ({
      logits: net.linear(
        norm(net, h, "model.decoder.layer_norm"),
        tied ? "model.decoder.embed_tokens" : "proj_out",
      ),
    }),
  };

  const layers = (stack: "encoder" | "decoder") =>
    Array.from({ length: sizes[`${stack}Layers`] }, (_, index) => layer(stack, index));
  const named = (stack: "encoder" | "decoder") =>
    Array.from({ length: sizes[`${stack}Layers`] }, (_, index) => `model.${stack}.layers.${index}`);
  const stream = (parameter: string, axis: number) => ({
    parameter,
    axis,
    layout: unitLayout,
    units: hidden,
  });
  const ffn = (stack: "encoder" | "decoder") =>
    named(stack).map((name) => ({ ...stream(`${name}.fc1.weight`, 0), units: sizes[`${stack}Ffn`] }));
  const stack = (name: "encoder" | "decoder"): Stack => ({
    name,
    size: `${name}Layers`,
    prefix: `model.${name}.layers.`,
    count: sizes[`${name}Layers`],
    silenced: /^((self_attn|encoder_attn)\.out_proj|fc2)\.(weight|bias)$/,
    lists: {},
    ...(name === "decoder" ? { listedHeads: ["alignment_heads"] } : {}),
  });
  return {
    sizes,
    fields: {
      hidden: ["d_model"],
      heads: ["encoder_attention_heads", "decoder_attention_heads"],
      encoderFfn: ["encoder_ffn_dim"],
      decoderFfn: ["decoder_ffn_dim"],
      encoderLayers: ["encoder_layers", ...(config.has("num_hidden_layers") ? ["num_hidden_layers"] : [])],
      decoderLayers: ["decoder_layers"],
      vocab: ["vocab_size"],
      positions: ["max_target_positions"],
    },
    inputs: [
      { name: "features", dtype: "float32", shape: ["batch", config.count("num_mel_bins", 80), frames] },
      { name: "decoder_ids", dtype: "int64", shape: ["batch", "sequence"], below: sizes.vocab },
    ],
    sections: [encoderStart, ...layers("encoder"), decoderStart, ...layers("decoder"), head],
    output: "logits",
    anchors: {
      // What the convolutions hand on, the encoder's stream, and the decoder's.
      hidden: [
        stream("model.encoder.conv1.weight", 0),
        stream("model.encoder.conv2.weight", 0),
        stream(table, 1),
      ],
      encoderFfn: ffn("encoder"),
      decoderFfn: ffn("decoder"),
      heads: [
        ...[...named("encoder"), ...named("decoder")].map((name) => `${name}.self_attn`),
        ...named("decoder").map((name) => `${name}.encoder_attn`),
      ].map((name) => ({
        parameter: `${name}.q_proj.weight`,
        axis: 0,
        layout: [{ inner: sizes.headDim }],
        units: heads,
      })),
    },
    vocabulary: [table, ...(tied ? [] : ["proj_out.weight"])],
    positions: [{ name: places, more: 0 }],
    stacks: [stack("encoder"), stack("decoder")],
    tied,
    lastNorm: ["model.decoder.layer_norm.weight", "model.decoder.layer_norm.bias"],
    pinned: {},
    initializer: config.number("init_std", 0.02),
  };
}
