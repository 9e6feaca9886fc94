import type { Family } from "../architecture/structure.ts";
import { decoder, headsDivideHidden } from "./decoder.ts";
import { layerTypes } from "./sliding.ts";

/** Gemma 2 (arXiv 2408.00118): norms behind each branch, too, capped scores and logits, every other layer slides. */
export const gemma2: Family = {
  type: "gemma2",
  layerFields: ["num_hidden_layers", "layer_types"],
  read: (config, has, headDim) =>
    decoder(config, has, headDim, {
      kvDefault: 4,
      headDimDefault: 256,
      tiedDefault: true,
      activation: config.text("hidden_activation", "gelu_pytorch_tanh"),
      normOffset: 1,
      scaledEmbeddings: true,
      normsBehind: true,
      typedLayers: true,
      layerTypes: layerTypes(config, (index) => index % 2 === 0),
      window: config.count("sliding_window", 4096),
      scale: config.number("query_pre_attn_scalar", 256) ** -0.5,
      attentionCap:
        config.values.attn_logit_softcapping === null
          ? undefined
          : config.number("attn_logit_softcapping", 50),
      logitCap:
        config.values.final_logit_softcapping === null
          ? undefined
          : config.number("final_logit_softcapping", 30),
    }),
  rules: (config) => headsDivideHidden("Gemma2Config", config),
};
