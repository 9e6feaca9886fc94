import { rotaryOf } from "../architecture/rotary.ts";
import type { Family } from "../architecture/structure.ts";
import type { Config } from "../folder/config.ts";
import { decoder, headsDivideHidden } from "./decoder.ts";
import { laterGemma } from "./later-gemma.ts";

/**
 * Gemma 3's language model (arXiv 2503.19786): like Gemma 2, with normalized queries and keys, and rotary
 * frequencies that depend on the kind of layer.
 */
export const gemma3: Family = {
  type: "gemma3_text",
  layerFields: ["num_hidden_layers", "layer_types"],
  read: (config, has, headDim) =>
    decoder(config, has, headDim, {
      ...laterGemma(config, (index) => (index + 1) % config.count("sliding_window_pattern", 6) !== 0),
      attentionCap: config.optional("attn_logit_softcapping"),
      logitCap: config.optional("final_logit_softcapping"),
      rotary: (size) => rotaries(config, size),
    }),
  rules: (config) => headsDivideHidden("Gemma3TextConfig", config),
};

function rotaries(config: Config, headDim: number) {
  const given = config.object("rope_parameters");
  const bare = config.with({ rope_theta: null });
  const local = given?.object("sliding_attention");
  return {
    full_attention: rotaryOf(
      given?.object("full_attention") ?? config.object("rope_scaling"),
      config,
      headDim,
      1e6,
    ),
    sliding_attention: rotaryOf(local, bare, headDim, config.number("rope_local_base_freq", 1e4)),
  };
}
