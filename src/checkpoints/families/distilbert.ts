import type { Family } from "../architecture/structure.ts";
import { classicSizes, headsDivide } from "./classic.ts";
import { encoder } from "./encoder.ts";

const keys = {
  hidden: "dim",
  heads: "n_heads",
  ffn: "hidden_dim",
  layers: "n_layers",
  vocab: "vocab_size",
  positions: "max_position_embeddings",
};

/** DistilBERT (Sanh et al., arXiv 1910.01108) with its masked-language-model head. */
export const distilbert: Family = {
  type: "distilbert",
  layerFields: ["n_layers"],
  read: (config, _, headDim) =>
    encoder(config, {
      sizes: classicSizes(config, keys, headDim),
      fields: Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, [key]])),
      names: {
        root: "distilbert.",
        prefix: "distilbert.transformer.layer.",
        query: "attention.q_lin",
        key: "attention.k_lin",
        value: "attention.v_lin",
        attended: "attention.out_lin",
        attentionNorm: "sa_layer_norm",
        inner: "ffn.lin1",
        outer: "ffn.lin2",
        lastNorm: "output_layer_norm",
        transform: "vocab_transform",
        headNorm: "vocab_layer_norm",
        headBias: "vocab_projector.bias",
      },
      epsilon: 1e-12,
      activation: config.text("activation", "gelu"),
      typed: false,
      unused: /\.position_ids$/,
    }),
  rules: (config) => headsDivide(config, "dim", "n_heads"),
};
