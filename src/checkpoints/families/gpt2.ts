import { causalMask, positionsOf } from "../architecture/attention.ts";
import type { Family } from "../architecture/structure.ts";
import { classic, classicSizes, fullAttention, headsDivide } from "./classic.ts";

const keys = {
  hidden: "n_embd",
  heads: "n_head",
  ffn: "n_inner",
  layers: "n_layer",
  vocab: "vocab_size",
  positions: "n_positions",
};

/**
 * GPT-2 (Radford et al., 2019): weights are stored as [in, out], with queries, keys and values in one weight.
 */
export const gpt2: Family = {
  type: "gpt2",
  layerFields: ["n_layer"],
  read(config, has, headDim) {
    const sizes = classicSizes(config, keys, headDim, 4 * config.count("n_embd"));
    const root = has("transformer.wte.weight") ? "transformer." : "";
    const epsilon = config.number("layer_norm_epsilon", 1e-5);
    const tied = config.flag("tie_word_embeddings", true) && !has("lm_head.weight");
    const activation = config.text("activation_function", "gelu_new");
    const width = sizes.heads * sizes.headDim;
    const scaleOf = (index: number) =>
      (config.flag("scale_attn_weights", true) ? sizes.headDim ** -0.5 : 1) /
      (config.flag("scale_attn_by_inverse_layer_idx", false) ? index + 1 : 1);
    return classic({
      sizes,
      fields: Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, [key]])),
      prefix: `${root}h.`,
      embeddings(net, { ids }) {
        const positions = positionsOf(net, ids as string);
        const rows = net.lookup(`${root}wte.weight`, ids as string);
        return {
          h: net.add(rows, net.lookup(`${root}wpe.weight`, positions)),
          mask: causalMask(net, positions),
        };
      },
      layer(net, { h = "", mask }, name, index) {
        const one = net.linearAsStored(net.layerNorm(h, `${name}.ln_1`, epsilon), `${name}.attn.c_attn`);
        const qkv = net.split(one, 2, [width, width, width]) as [string, string, string];
        const attended = fullAttention(net, qkv, sizes, mask, scaleOf(index));
        const middle = net.add(h, net.linearAsStored(attended, `${name}.attn.c_proj`));
        const inner = net.linearAsStored(net.layerNorm(middle, `${name}.ln_2`, epsilon), `${name}.mlp.c_fc`);
        return net.add(middle, net.linearAsStored(net.activation(inner, activation), `${name}.mlp.c_proj`));
      },
      head: (net, h) => net.linear(net.layerNorm(h, `${root}ln_f`, epsilon), tied ? `${root}wte` : "lm_head"),
      stream: { parameter: `${root}wte.weight`, axis: 1 },
      vocabulary: [`${root}wte.weight`, ...(tied ? [] : ["lm_head.weight"])],
      positions: [{ name: `${root}wpe.weight`, more: 0 }],
      ffn: (name) => ({ parameter: `${name}.mlp.c_fc.weight`, axis: 1 }),
      heads: (name) => ({
        parameter: `${name}.attn.c_attn.weight`,
        axis: 1,
        layout: [{ inner: sizes.headDim }, { inner: sizes.headDim }, { inner: sizes.headDim }],
      }),
      silenced: /^(attn|mlp)\.c_proj\.(weight|bias)$/,
      tied,
      lastNorm: [`${root}ln_f.weight`, `${root}ln_f.bias`],
      pinned: { n_inner: sizes.ffn },
      unused: /\.attn\.(bias|masked_bias)$/,
      initializer: config.number("initializer_range", 0.02),
    });
  },
  rules: (config) => headsDivide(config, "n_embd", "n_head"),
};
