import { attend, causalMask, joinHeads, positionsOf } from "../architecture/attention.ts";
import { readRotary, rotaryTables } from "../architecture/rotary.ts";
import type { Family } from "../architecture/structure.ts";
import { classic, classicSizes, headsDivide } from "./classic.ts";

const keys = {
  hidden: "hidden_size",
  heads: "num_attention_heads",
  ffn: "intermediate_size",
  layers: "num_hidden_layers",
  vocab: "vocab_size",
  positions: "max_position_embeddings",
};

/**
 * GPT-NeoX and Pythia (arXiv 2204.06745): each head's query, key and value are adjacent; the branches are
 * parallel.
 */
export const gptNeox: Family = {
  type: "gpt_neox",
  layerFields: ["num_hidden_layers"],
  read(config, _, headDim) {
    const sizes = classicSizes(config, keys, headDim);
    const epsilon = config.number("layer_norm_eps", 1e-5);
    const parallel = config.flag("use_parallel_residual", true);
    const share = config.number("rotary_pct", 0.25);
    const rotary = readRotary(config, sizes.headDim, config.number("rotary_emb_base", 10_000), share);
    const activation = config.text("hidden_act", "gelu");
    return classic({
      sizes,
      fields: Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, [key]])),
      prefix: "gpt_neox.layers.",
      embeddings(net, { ids }) {
        const positions = positionsOf(net, ids as string);
        const h = net.lookup("gpt_neox.embed_in.weight", ids as string);
        return { h, mask: causalMask(net, positions), ...rotaryTables(net, positions, rotary) };
      },
      layer(net, { h = "", mask = "", cos = "", sin = "" }, name) {
        const { heads, headDim: size } = sizes;
        const read = net.layerNorm(h, `${name}.input_layernorm`, epsilon);
        const one = net.linear(read, `${name}.attention.query_key_value`);
        const parts = net.split(net.reshape(one, [0, 0, heads, 1, 3 * size]), 4, [size, size, size]);
        const cut = parts.map((part) => net.transpose(part, [0, 2, 3, 1, 4])) as [string, string, string];
        const summed = attend(net, cut, { scale: size ** -0.5, mask, turned: { cos, sin } });
        const attended = net.linear(joinHeads(net, summed), `${name}.attention.dense`);
        const middle = parallel ? h : net.add(h, attended);
        const normed = net.layerNorm(middle, `${name}.post_attention_layernorm`, epsilon);
        const inner = net.activation(net.linear(normed, `${name}.mlp.dense_h_to_4h`), activation);
        const out = net.linear(inner, `${name}.mlp.dense_4h_to_h`);
        return parallel ? net.add(net.add(out, attended), h) : net.add(middle, out);
      },
      head: (net, h) => net.linear(net.layerNorm(h, "gpt_neox.final_layer_norm", epsilon), "embed_out"),
      stream: { parameter: "gpt_neox.embed_in.weight", axis: 1 },
      vocabulary: ["gpt_neox.embed_in.weight", "embed_out.weight"],
      positions: [],
      ffn: (name) => ({ parameter: `${name}.mlp.dense_h_to_4h.weight`, axis: 0 }),
      heads: (name) => ({
        parameter: `${name}.attention.query_key_value.weight`,
        axis: 0,
        layout: [{ inner: 3 * sizes.headDim }],
      }),
      silenced: /^(attention\.dense|mlp\.dense_4h_to_h)\.(weight|bias)$/,
      tied: false,
      lastNorm: ["gpt_neox.final_layer_norm.weight", "gpt_neox.final_layer_norm.bias"],
      unused: /\.attention\.(bias|masked_bias|rotary_emb\.inv_freq)$/,
      initializer: config.number("initializer_range", 0.02),
    });
  },
  rules: (config) => headsDivide(config, "hidden_size", "num_attention_heads"),
};
