import type { Config } from "../folder/config.ts";
import type { DecoderOptions } from "./decoder.ts";
import { layerTypes } from "./sliding.ts";

/**
 * What Gemma 2 and 3 have in common; `isSliding` is the class's rule if the file does not list the kinds of
 * its layers.
 */
export function laterGemma(config: Config, isSliding: (index: number) => boolean) {
  return {
    kvDefault: 4,
    headDimDefault: 256,
    tiedDefault: true,
    activation: config.text("hidden_activation", "gelu_pytorch_tanh"),
    normOffset: 1,
    scaledEmbeddings: true,
    normsBehind: true,
    typedLayers: true,
    layerTypes: layerTypes(config, isSliding),
    window: config.count("sliding_window", 4096),
    scale: config.number("query_pre_attn_scalar", 256) ** -0.5,
  } satisfies DecoderOptions;
}
