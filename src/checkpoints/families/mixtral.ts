import { EspalierError } from "../../tensor/errors.ts";
import { readRotary } from "../architecture/rotary.ts";
import type { ExpertNames, Family, SparseTwin } from "../architecture/structure.ts";
import type { Config } from "../folder/config.ts";
import { decoder } from "./decoder.ts";
import { slidingEverywhere } from "./sliding.ts";

/** What the modules of a sparse layer of Mixtral are called. */
const names: ExpertNames = {
  router: (layer) => `${layer}.block_sparse_moe.gate`,
  expert(layer, index) {
    const module = `${layer}.block_sparse_moe.experts.${index}`;
    return { gate: `${module}.w1`, up: `${module}.w3`, down: `${module}.w2` };
  },
};

/** Mixtral (Jiang et al., arXiv 2401.04088): every MLP is a choice among experts. */
export const mixtral: Family = {
  type: "mixtral",
  layerFields: ["num_hidden_layers"],
  read: (config, has, headDim) =>
    decoder(config, has, headDim, {
      kvDefault: 8,
      epsilonDefault: 1e-5,
      rotary: (size) => ({ full_attention: readRotary(config, size, 1e6) }),
      ...slidingEverywhere(config, undefined),
      experts: {
        names,
        count: config.count("num_local_experts", 8),
        perToken: config.count("num_experts_per_tok", 2),
        width: config.count("intermediate_size", 14_336),
        normalized: true,
        sparse: Array.from({ length: config.few("num_hidden_layers") }, () => true),
        fields: {
          experts: ["num_local_experts"],
          perToken: ["num_experts_per_tok"],
          expertFfn: ["intermediate_size"],
        },
      },
    }),
  rules: () => [],
};

/** Mixtral as what Llama or Mistral become; `fixed` are values that the dense class takes if the file gives none. */
export function mixtralOf(fixed: (config: Config) => Readonly<Record<string, unknown>>): SparseTwin {
  return {
    family: mixtral,
    className: "Mixtral",
    names,
    fields: (config, { experts, perToken }) => ({
      num_local_experts: experts,
      num_experts_per_tok: perToken,
      rms_norm_eps: config.number("rms_norm_eps", 1e-6),
      ...(["rope_theta", "rope_parameters"].some((key) => config.has(key)) ? {} : { rope_theta: 10_000 }),
      ...fixed(config),
    }),
    check(config, has) {
      const biased = ["self_attn.q_proj", "self_attn.o_proj", "mlp.gate_proj"].find((module) =>
        has(`model.layers.0.${module}.bias`),
      );
      if (biased === undefined) return;
      throw new EspalierError("NOT_GROWABLE", {
        thing: config.thing,
        rule: "cannot become a Mixtral: its layers have biases, and that class has none",
        received: `${biased}.bias`,
      });
    },
  };
}
