import type { Config } from "../folder/config.ts";

/** The kinds of the layers: as the file lists them, else as the class computes them from their numbers. */
export function layerTypes(config: Config, isSliding: (index: number) => boolean): readonly string[] {
  const computed = Array.from({ length: config.few("num_hidden_layers") }, (_, index) =>
    isSliding(index) ? "sliding_attention" : "full_attention",
  );
  return config.texts("layer_types") ?? computed;
}

/** Every layer looks back no further than `sliding_window`, unless that is null; `otherwise` where the file has none. */
export function slidingEverywhere(config: Config, otherwise: number | undefined) {
  const none =
    config.values.sliding_window === null || (otherwise === undefined && !config.has("sliding_window"));
  const window = none ? undefined : config.count("sliding_window", otherwise);
  const kind = none ? "full_attention" : "sliding_attention";
  return { window, layerTypes: Array.from({ length: config.few("num_hidden_layers") }, () => kind) };
}

/** Qwen's rule: layers from max_window_layers on look back so far only, where use_sliding_window says so. */
export function qwenWindow(config: Config) {
  const slides = config.flag("use_sliding_window", false);
  const window =
    slides && config.values.sliding_window !== null ? config.count("sliding_window", 4096) : undefined;
  const from = config.number("max_window_layers", 28);
  return { window, layerTypes: layerTypes(config, (index) => window !== undefined && index >= from) };
}
