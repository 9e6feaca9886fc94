import type { Family } from "../architecture/structure.ts";
import { decoder } from "./decoder.ts";

/** Mistral (Jiang et al., arXiv 2310.06825): every layer slides where there is a window. */
export const mistral: Family = {
  type: "mistral",
  layerFields: ["num_hidden_layers"],
  read(config, has, headDim) {
    const slides = config.values.sliding_window !== null;
    const window = slides ? config.count("sliding_window", 4096) : undefined;
    const kind = slides ? "sliding_attention" : "full_attention";
    const layers = Array.from({ length: config.few("num_hidden_layers") }, () => kind);
    return decoder(config, has, headDim, { kvDefault: 8, layerTypes: layers, window });
  },
  rules: () => [],
};
