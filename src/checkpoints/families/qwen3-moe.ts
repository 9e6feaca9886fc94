import { EspalierError } from "../../tensor/errors.ts";
import type { Family, SparseTwin } from "../architecture/structure.ts";
import { decoder } from "./decoder.ts";
import { qwenExpertNames, qwenExperts, sparseEverywhere, sparseFields } from "./qwen-experts.ts";
import { qwenWindow, slidingEverywhere } from "./sliding.ts";

/** Qwen3-MoE (Yang et al., arXiv 2505.09388): Qwen3 with a choice among experts in its sparse layers. */
export const qwen3Moe: Family = {
  type: "qwen3_moe",
  layerFields: ["num_hidden_layers", "max_window_layers", ...sparseFields],
  read: (config, has, headDim) =>
    decoder(config, has, headDim, {
      kvDefault: 4,
      ffnDefault: 6144,
      ...(config.flag("use_sliding_window", false) ? slidingEverywhere(config, 4096) : {}),
      experts: qwenExperts(config, {
        names: qwenExpertNames,
        count: 128,
        perToken: 8,
        width: 768,
        fields: {},
      }),
    }),
  rules: () => [],
};

/** Qwen3-MoE as what Qwen3 becomes. */
export const qwen3MoeTwin: SparseTwin = {
  family: qwen3Moe,
  className: "Qwen3Moe",
  names: qwenExpertNames,
  fields: (_, sizes) => sparseEverywhere(sizes),
  check(config) {
    const { window, layerTypes } = qwenWindow(config);
    if (window === undefined || !layerTypes.includes("full_attention")) return;
    throw new EspalierError("NOT_GROWABLE", {
      thing: `${config.thing}: layer_types`,
      rule: "cannot become a Qwen3-MoE: in that class all layers look back equally far, or none",
      received: layerTypes,
    });
  },
};
