import type { Family } from "../architecture/structure.ts";
import { decoder } from "./decoder.ts";
import { qwen3MoeTwin } from "./qwen3-moe.ts";
import { qwenWindow } from "./sliding.ts";

/** Qwen3 (Yang et al., arXiv 2505.09388): queries and keys are normalized head by head. */
export const qwen3: Family = {
  type: "qwen3",
  layerFields: ["num_hidden_layers", "max_window_layers", "layer_types"],
  read: (config, has, headDim) =>
    decoder(config, has, headDim, {
      kvDefault: 32,
      headDimDefault: 128,
      typedLayers: true,
      ...qwenWindow(config),
    }),
  sparse: qwen3MoeTwin,
  rules: () => [],
};
