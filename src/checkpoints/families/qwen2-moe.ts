import type { ExpertNames, Family, SparseTwin } from "../architecture/structure.ts";
import { decoder } from "./decoder.ts";
import { projectionsOf } from "./experts.ts";
import { qwenExpertNames, qwenExperts, sparseEverywhere, sparseFields } from "./qwen-experts.ts";
import { layerTypes, qwenWindow } from "./sliding.ts";

const names: ExpertNames = {
  ...qwenExpertNames,
  shared: (layer) => ({
    ...projectionsOf(`${layer}.mlp.shared_expert`),
    sharedGate: `${layer}.mlp.shared_expert_gate`,
  }),
};

/** Qwen2-MoE (Yang et al., arXiv 2407.10671): besides the experts, an MLP with a gate that all tokens go through. */
export const qwen2Moe: Family = {
  type: "qwen2_moe",
  layerFields: ["num_hidden_layers", "max_window_layers", "layer_types", ...sparseFields],
  read(config, has, headDim) {
    const slides = config.flag("use_sliding_window", false);
    const below = config.number("max_window_layers", 28);
    return decoder(config, has, headDim, {
      kvDefault: 16,
      typedLayers: true,
      window: slides ? config.count("sliding_window", 4096) : undefined,
      layerTypes: layerTypes(config, (index) => slides && index % 2 === 0 && index < below),
      ffnDefault: 5632,
      experts: qwenExperts(config, {
        names,
        count: 60,
        perToken: 4,
        width: 1408,
        sharedWidth: config.count("shared_expert_intermediate_size", 5632),
        fields: { sharedFfn: ["shared_expert_intermediate_size"] },
      }),
    });
  },
  rules: () => [],
};

/** Qwen2-MoE as what Qwen2 becomes. The two compute from a layer's number in other ways how far it looks back. */
export const qwen2MoeTwin: SparseTwin = {
  family: qwen2Moe,
  className: "Qwen2Moe",
  names,
  fields(config, sizes) {
    const { window, layerTypes: types } = qwenWindow(config);
    return {
      ...sparseEverywhere(sizes),
      shared_expert_intermediate_size: sizes.width,
      ...(window === undefined ? {} : { layer_types: types }),
    };
  },
};
