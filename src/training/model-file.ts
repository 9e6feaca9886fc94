import { platform } from "#platform";
import { decodeModel, encodeModel, type Limits } from "../formats/onnx/index.ts";
import type { Model } from "../graph/model.ts";

/**
 * Reads an ONNX model from a path (Node) or bytes. Throws `FORMAT` for a file that is not ONNX or truncated, `TOO_LARGE`
 * over a limit, `INVALID_MODEL` or `UNSUPPORTED_TYPE` for one that cannot be used.
 */
export async function loadModel(source: string | Uint8Array, limits: Partial<Limits> = {}): Promise<Model> {
  const bytes = typeof source === "string" ? await platform.readFile(source, limits.maxBytes) : source;
  return decodeModel(bytes, limits);
}

/** Writes a model as ONNX, in one step: a crash leaves the old file or the new one. Node only. */
export async function saveModel(model: Model, path: string): Promise<void> {
  await platform.writeFile(path, encodeModel(model));
}
