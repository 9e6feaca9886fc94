import { platform } from "#platform";
import {
  decodeModel,
  type ExternalFiles,
  encodeModelChunks,
  type Limits,
  splitModel,
} from "../formats/onnx/index.ts";
import type { Model } from "../graph/model.ts";
import { type FoldedModel, foldIntegers } from "../ops/rewrites/floats/fold-integers.ts";
import { ownParameters } from "../ops/rewrites/own-parameters.ts";
import { EspalierError } from "../tensor/errors.ts";
import { checkOptionNames } from "../tensor/known-options.ts";

export interface LoadOptions extends Partial<Limits> {
  /**
   * Whether tensors may be read from other files in the model's own folder (regular files, by plain names), or where
   * to read them from instead. Default false: such a model is refused.
   */
  readonly externalData?: boolean | ExternalFiles;
  /**
   * Whether weights that are small integers (int8, uint8) become float32, as training and growth need them
   * (ops/rewrites/floats). A function is called with what that changed. Default: they stay as they are.
   */
  readonly foldIntegers?: boolean | ((folded: Omit<FoldedModel, "model">) => void);
}

export interface SaveOptions {
  /**
   * Whether large parameters go into a file next to the model's, `NAME.data` (`NAME.2.data` and so on if that exists: no
   * file that another model may need is replaced). A model of 2 GiB or more needs it. Default false.
   */
  readonly externalData?: boolean;
}

/**
 * Reads an ONNX model from a path (Node) or bytes, its constants as parameters and no vector shared by two readers
 * (ops/rewrites/own-parameters.ts). Throws `FORMAT` for a file that is not ONNX or truncated, `TOO_LARGE`
 * over a limit, `INVALID_MODEL` or `UNSUPPORTED_TYPE` for one that cannot be used.
 */
export async function loadModel(source: string | Uint8Array, options: LoadOptions = {}): Promise<Model> {
  const { externalData = false, foldIntegers: folds = false, ...limits } = options;
  const given = typeof externalData === "boolean" ? undefined : externalData;
  if (typeof source !== "string") {
    if (externalData === true) throw needsPath();
    return owned(
      decodeModel(source, given === undefined ? limits : { ...limits, externalData: given }),
      folds,
    );
  }
  const bytes = await platform.readFile(source, limits.maxBytes);
  const folder = externalData === true ? platform.openFolder(platform.locate(source).folder) : undefined;
  const files = folder ?? given;
  try {
    // Nobody else uses the bytes, so misaligned tensors are moved in place.
    const mayOverwrite = true;
    const options = files === undefined ? limits : { ...limits, externalData: files };
    return owned(decodeModel(bytes, { ...options, mayOverwrite }), folds);
  } finally {
    folder?.close();
  }
}

function owned(model: Model, folds: LoadOptions["foldIntegers"]): Model {
  const own = ownParameters(model);
  if (folds === undefined || folds === false) return own;
  const { model: folded, ...changed } = foldIntegers(own);
  if (typeof folds === "function") folds(changed);
  return folded === own ? own : ownParameters(folded);
}

function needsPath(): EspalierError {
  return new EspalierError("ARGUMENT", {
    thing: "externalData",
    rule: "needs the model's path to know its folder",
    received: "bytes",
    remedy: "Pass a path, or the files themselves.",
  });
}

/**
 * Writes a model as ONNX, in one step: a crash leaves the old file or the new one. Tensors are not copied. Node only.
 * Throws `TOO_LARGE` for 2 GiB or more without `externalData`, before anything is written.
 */
export async function saveModel(model: Model, path: string, options: SaveOptions = {}): Promise<void> {
  checkOptionNames("saveModel", options, { externalData: true });
  if (options.externalData !== true) {
    await platform.writeFile(path, encodeModelChunks(model));
    return;
  }
  const { folder, name } = platform.locate(path);
  const file = freeName(name, await platform.listFolder(folder));
  const split = splitModel(model, file);
  // The model comes last: until it is there, nothing refers to the new data.
  await platform.writeFile(`${folder}/${file}`, split.data);
  await platform.writeFile(path, split.model);
}

function freeName(model: string, taken: readonly string[]): string {
  let name = `${model}.data`;
  for (let count = 2; taken.includes(name); count++) name = `${model}.${count}.data`;
  return name;
}
