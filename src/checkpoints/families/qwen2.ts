import type { Family } from "../architecture/structure.ts";
import { decoder } from "./decoder.ts";
import { qwen2MoeTwin } from "./qwen2-moe.ts";
import { qwenWindow } from "./sliding.ts";

/** Qwen2 (Yang et al., arXiv 2407.10671): queries, keys and values have biases. */
export const qwen2: Family = {
  type: "qwen2",
  layerFields: ["num_hidden_layers", "max_window_layers", "layer_types"],
  read: (config, has, headDim) =>
    decoder(config, has, headDim, { kvDefault: 32, typedLayers: true, ...qwenWindow(config) }),
  sparse: qwen2MoeTwin,
  rules: () => [],
};
