import type { ExpertNames } from "../architecture/structure.ts";
import type { Config } from "../folder/config.ts";
import { type Experts, projectionsOf } from "./experts.ts";

/** What the modules of a sparse layer of Qwen's models are called. */
export const qwenExpertNames: ExpertNames = {
  router: (layer) => `${layer}.mlp.gate`,
  expert: (layer, index) => projectionsOf(`${layer}.mlp.experts.${index}`),
};

/** Fields from which Qwen's classes compute, by a layer's number, whether it has experts. */
export const sparseFields = ["mlp_only_layers", "decoder_sparse_step"];

/** The experts of a configuration of Qwen's; those of the family, and their defaults, are the caller's. */
export function qwenExperts(
  config: Config,
  own: Pick<Experts, "names" | "sharedWidth" | "fields"> & {
    readonly count: number;
    readonly perToken: number;
    readonly width: number;
  },
): Experts {
  const dense = config.indices("mlp_only_layers") ?? [];
  // transformers 5 saves Qwen3's number under Mixtral's name.
  const field =
    config.has("num_experts") || !config.has("num_local_experts") ? "num_experts" : "num_local_experts";
  const step = config.count("decoder_sparse_step", 1);
  return {
    names: own.names,
    ...(own.sharedWidth === undefined ? {} : { sharedWidth: own.sharedWidth }),
    count: config.count(field, own.count),
    perToken: config.count("num_experts_per_tok", own.perToken),
    width: config.count("moe_intermediate_size", own.width),
    normalized: config.flag("norm_topk_prob", false),
    sparse: Array.from(
      { length: config.few("num_hidden_layers") },
      (_, index) => !dense.includes(index) && (index + 1) % step === 0,
    ),
    fields: {
      experts: [field],
      perToken: ["num_experts_per_tok"],
      expertFfn: ["moe_intermediate_size"],
      ...own.fields,
    },
  };
}

/** What the fields of a sparse model of Qwen's must say if all MLPs became experts. */
export function sparseEverywhere(sizes: {
  readonly experts: number;
  readonly perToken: number;
  readonly width: number;
}) {
  return {
    num_experts: sizes.experts,
    num_experts_per_tok: sizes.perToken,
    moe_intermediate_size: sizes.width,
    norm_topk_prob: true,
    decoder_sparse_step: 1,
    mlp_only_layers: [],
  };
}
