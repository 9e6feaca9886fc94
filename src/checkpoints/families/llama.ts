import type { Family } from "../architecture/structure.ts";
import { decoder, headsDivideHidden } from "./decoder.ts";
import { mixtralOf } from "./mixtral.ts";

/**
 * Llama (Touvron et al., arXiv 2302.13971), with grouped queries, biases or a tied head if its files have
 * them.
 */
export const llama: Family = {
  type: "llama",
  layerFields: ["num_hidden_layers"],
  read: (config, has, headDim) => decoder(config, has, headDim),
  sparse: mixtralOf((config) => ({
    sliding_window: null,
    max_position_embeddings: config.count("max_position_embeddings", 2048),
  })),
  rules: (config) => headsDivideHidden("LlamaConfig", config),
};
