import type { Family } from "../architecture/structure.ts";
import { decoder } from "./decoder.ts";

/** Phi-3 (Abdin et al., arXiv 2404.14219): queries, keys and values are one weight, gate and up another. */
export const phi3: Family = {
  type: "phi3",
  layerFields: ["num_hidden_layers"],
  read(config, has, headDim) {
    const window = config.optional("sliding_window");
    const kind = window === undefined ? "full_attention" : "sliding_attention";
    const layerTypes = Array.from({ length: config.few("num_hidden_layers") }, () => kind);
    return decoder(config, has, headDim, { epsilonDefault: 1e-5, layerTypes, window });
  },
  rules: () => [],
};
