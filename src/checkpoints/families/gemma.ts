import type { Family } from "../architecture/structure.ts";
import { decoder } from "./decoder.ts";

/**
 * Gemma (arXiv 2403.08295): norms store their scale minus 1, embeddings are multiplied by the root of the
 * hidden size.
 */
export const gemma: Family = {
  type: "gemma",
  layerFields: ["num_hidden_layers"],
  read(config, has, headDim) {
    const given = config.text("hidden_act", "gelu_pytorch_tanh");
    return decoder(config, has, headDim, {
      kvDefault: 16,
      headDimDefault: 256,
      tiedDefault: true,
      // Early files say gelu but mean its tanh approximation.
      activation: given === "gelu" ? "gelu_pytorch_tanh" : given,
      normOffset: 1,
      scaledEmbeddings: true,
    });
  },
  rules: () => [],
};
