import { causalMask, positionsOf } from "../architecture/attention.ts";
import type { Family } from "../architecture/structure.ts";
import { classic, classicSizes, fullAttention, headsDivide, refuseVariant } from "./classic.ts";

const keys = {
  hidden: "hidden_size",
  heads: "num_attention_heads",
  ffn: "ffn_dim",
  layers: "num_hidden_layers",
  vocab: "vocab_size",
  positions: "max_position_embeddings",
};
const epsilon = 1e-5;
/** Rows of the position table before that of position 0. */
const before = 2;

/** OPT (Zhang et al., arXiv 2205.01068), with norms before its branches. */
export const opt: Family = {
  type: "opt",
  layerFields: ["num_hidden_layers", "_remove_final_layer_norm"],
  read(config, has, headDim) {
    const sizes = classicSizes(config, keys, headDim);
    if (!config.flag("do_layer_norm_before", true)) {
      refuseVariant(
        config,
        "do_layer_norm_before",
        "must be true: norms behind the branches are not supported",
      );
    }
    if (config.count("word_embed_proj_dim", sizes.hidden) !== sizes.hidden) {
      refuseVariant(
        config,
        "word_embed_proj_dim",
        "must be the hidden size: projected embeddings are not supported",
      );
    }
    const root = "model.decoder.";
    const tied = config.flag("tie_word_embeddings", true) && !has("lm_head.weight");
    const activation = config.text("activation_function", "relu");
    const hidden = config.has("word_embed_proj_dim")
      ? ["hidden_size", "word_embed_proj_dim"]
      : ["hidden_size"];
    return classic({
      sizes,
      fields: { ...Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, [key]])), hidden },
      prefix: `${root}layers.`,
      embeddings(net, { ids }) {
        const positions = positionsOf(net, ids as string);
        const rows = net.lookup(`${root}embed_tokens.weight`, ids as string);
        const places = net.lookup(`${root}embed_positions.weight`, net.add(positions, net.index(before)));
        return { h: net.add(rows, places), mask: causalMask(net, positions) };
      },
      layer(net, { h = "", mask }, name) {
        const read = net.layerNorm(h, `${name}.self_attn_layer_norm`, epsilon);
        const linear = (part: string) => net.linear(read, `${name}.self_attn.${part}_proj`);
        const attended = fullAttention(net, [linear("q"), linear("k"), linear("v")], sizes, mask);
        const middle = net.add(h, net.linear(attended, `${name}.self_attn.out_proj`));
        const normed = net.layerNorm(middle, `${name}.final_layer_norm`, epsilon);
        return net.add(
          middle,
          net.linear(net.activation(net.linear(normed, `${name}.fc1`), activation), `${name}.fc2`),
        );
      },
      head: (net, h) =>
        net.linear(
          net.layerNorm(h, `${root}final_layer_norm`, epsilon),
          tied ? `${root}embed_tokens` : "lm_head",
        ),
      stream: { parameter: `${root}embed_tokens.weight`, axis: 1 },
      vocabulary: [`${root}embed_tokens.weight`, ...(tied ? [] : ["lm_head.weight"])],
      positions: [{ name: `${root}embed_positions.weight`, more: before }],
      ffn: (name) => ({ parameter: `${name}.fc1.weight`, axis: 0 }),
      heads: (name) => ({
        parameter: `${name}.self_attn.q_proj.weight`,
        axis: 0,
        layout: [{ inner: sizes.headDim }],
      }),
      silenced: /^(self_attn\.out_proj|fc2)\.(weight|bias)$/,
      tied,
      lastNorm: [`${root}final_layer_norm.weight`, `${root}final_layer_norm.bias`],
      initializer: config.number("init_std", 0.02),
    });
  },
  rules: (config) => headsDivide(config, "hidden_size", "num_attention_heads"),
};
