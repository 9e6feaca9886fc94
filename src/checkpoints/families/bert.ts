import type { Family } from "../architecture/structure.ts";
import { classicSizes, headsDivide } from "./classic.ts";
import { type EncoderNames, encoder } from "./encoder.ts";

const keys = {
  hidden: "hidden_size",
  heads: "num_attention_heads",
  ffn: "intermediate_size",
  layers: "num_hidden_layers",
  vocab: "vocab_size",
  positions: "max_position_embeddings",
};

const within = (root: string) => ({
  root,
  prefix: `${root}encoder.layer.`,
  query: "attention.self.query",
  key: "attention.self.key",
  value: "attention.self.value",
  attended: "attention.output.dense",
  attentionNorm: "attention.output.LayerNorm",
  inner: "intermediate.dense",
  outer: "output.dense",
  lastNorm: "output.LayerNorm",
});

function family(
  type: string,
  names: EncoderNames,
  epsilon: number,
  padding?: (config: { number(key: string, otherwise: number): number }) => number,
): Family {
  return {
    type,
    layerFields: ["num_hidden_layers"],
    read: (config, _, headDim) =>
      encoder(config, {
        sizes: classicSizes(config, keys, headDim),
        fields: Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, [key]])),
        names,
        epsilon: config.number("layer_norm_eps", epsilon),
        activation: config.text("hidden_act", "gelu"),
        typed: true,
        ...(padding === undefined ? {} : { padding: padding(config) }),
        unused: /\.position_ids$|\.decoder\.bias$/,
      }),
    rules: (config) => headsDivide(config, "hidden_size", "num_attention_heads"),
  };
}

/** BERT (Devlin et al., arXiv 1810.04805) with its masked-language-model head. */
export const bert = family(
  "bert",
  {
    ...within("bert."),
    transform: "cls.predictions.transform.dense",
    headNorm: "cls.predictions.transform.LayerNorm",
    headBias: "cls.predictions.bias",
  },
  1e-12,
);

/** RoBERTa (Liu et al., arXiv 1907.11692): positions start after the id of the padding token. */
export const roberta = family(
  "roberta",
  {
    ...within("roberta."),
    transform: "lm_head.dense",
    headNorm: "lm_head.layer_norm",
    headBias: "lm_head.bias",
  },
  1e-12,
  (config) => config.number("pad_token_id", 1),
);
