import type { Family } from "../architecture/structure.ts";
import { decoder, headsDivideHidden } from "./decoder.ts";
import { laterGemma } from "./later-gemma.ts";

/**
 * Gemma 2 (arXiv 2408.00118): norms after each branch as well, capped scores and logits, sliding attention in
 * every other layer.
 */
export const gemma2: Family = {
  type: "gemma2",
  layerFields: ["num_hidden_layers", "layer_types"],
  read: (config, has, headDim) =>
    decoder(config, has, headDim, {
      ...laterGemma(config, (index) => index % 2 === 0),
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
