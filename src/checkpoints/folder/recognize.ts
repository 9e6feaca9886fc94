import { platform } from "#platform";
import { EspalierError } from "../../tensor/errors.ts";

/** Folders with a model in another form, recognized by a file in them, and what to do with each. */
const forms: readonly { readonly file: RegExp; readonly is: string; readonly remedy: string }[] = [
  {
    file: /^modules\.json$/,
    is: "is a sentence-transformers folder",
    remedy: "Grow the transformer in it: the folder that modules.json names, or the one with config.json.",
  },
  {
    file: /^adapter_config\.json$/,
    is: "is an adapter, not a model",
    remedy: "Merge it into its base model (merge_and_unload), save that, and grow the result.",
  },
  {
    file: /\.gguf$/,
    is: "contains GGUF weights, which are quantized",
    remedy: "Load it in transformers (gguf_file=…), save it with save_pretrained, and grow that folder.",
  },
  {
    file: /\.safetensors(\.index\.json)?$/,
    is: "contains safetensors weights without the config.json that says what they are",
    remedy: "Put the model's config.json next to them.",
  },
];

/**
 * Rejects a folder without config.json, with a remedy that depends on what it contains instead. Throws
 * `FORMAT`.
 */
export async function refuseUnknownFolder(folder: string): Promise<void> {
  if ((await platform.kindOf(folder)) !== "folder") return;
  const names = await platform.listFolder(folder);
  if (names.includes("config.json")) return;
  const form = forms.find(({ file }) => names.some((name) => file.test(name)));
  throw new EspalierError("FORMAT", {
    thing: folder,
    rule: form?.is ?? "is a folder without a config.json, so it is not a model",
    received: names.length === 0 ? "an empty folder" : names.slice(0, 5).join(", "),
    remedy:
      form?.remedy ?? "Give an ONNX file, or a Hugging Face folder (config.json and safetensors files).",
  });
}
