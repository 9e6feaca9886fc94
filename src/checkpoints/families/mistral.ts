import type { Family } from "../architecture/structure.ts";
import { decoder } from "./decoder.ts";
import { mixtralOf } from "./mixtral.ts";
import { slidingEverywhere } from "./sliding.ts";

/** Mistral (Jiang et al., arXiv 2310.06825): every layer slides where there is a window. */
export const mistral: Family = {
  type: "mistral",
  layerFields: ["num_hidden_layers"],
  read(config, has, headDim) {
    return decoder(config, has, headDim, { kvDefault: 8, ...slidingEverywhere(config, 4096) });
  },
  sparse: mixtralOf((config) => ({ sliding_window: slidingEverywhere(config, 4096).window ?? null })),
  rules: () => [],
};
