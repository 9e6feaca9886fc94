import { type Command, Option } from "commander";
import { platform } from "#platform";
import { defaultLimits, type Limits } from "../../formats/limits.ts";
import type { Model } from "../../graph/model.ts";
import { type LoadOptions, loadModel } from "../../models/model-file.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { grouped } from "../../tensor/number-text.ts";
import { inFile } from "../print/in-file.ts";
import { wholeNumber } from "./option-values.ts";

/** Limits that a model file can exceed, and what `--help` says about each. */
const limitHelp = {
  maxBytes: "bytes of a model file",
  maxExternalBytes: "bytes of weights in files next to it, in total",
  maxNodes: "nodes, local functions inlined",
  maxAttributes: "attributes of nodes",
  maxValues: "inputs and outputs of graphs and nodes",
  maxParameters: "initializers",
  maxFunctions: "local functions",
  maxEntries: "metadata entries and operator sets",
  maxDepth: "graphs within graphs",
  maxDims: "axes of a tensor",
  maxElements: "elements of a tensor",
  maxItems: "items of a list",
  maxNameBytes: "bytes of a name",
  maxTextBytes: "bytes of another text",
} as const satisfies Partial<Record<keyof Limits, string>>;

type LimitName = keyof typeof limitHelp;

/** How a model file is read, as typed. */
export type ModelFileOptions = { readonly externalData?: boolean; readonly foldInt8?: boolean } & {
  readonly [Name in LimitName]?: string;
};

/** Adds `--external-data` and an option for each limit of the reader. */
export function modelOptions(command: Command, externalData: string): Command {
  command
    .optionsGroup("Reading models:")
    .option("--external-data", externalData)
    .option("--fold-int8", "make float32 weights of int8 and uint8 ones, so that they grow and train");
  for (const [name, text] of Object.entries(limitHelp)) {
    const most = grouped(defaultLimits[name as LimitName]);
    command.addOption(new Option(`${flagOf(name)} <count>`, `most ${text} (default: ${most})`));
  }
  return command.optionsGroup("Options:");
}

/** A model, and every file that it was read from. */
export interface OpenedModel {
  readonly model: Model;
  readonly files: readonly string[];
  /** What differs from the file. */
  readonly notes: readonly string[];
}

/** Reads a model. Throws `USAGE`, and what {@link loadModel} throws. */
export async function openModel(path: string, options: ModelFileOptions): Promise<OpenedModel> {
  const limits: { -readonly [Name in LimitName]?: number } = {};
  for (const name of Object.keys(limitHelp) as LimitName[]) {
    const text = options[name];
    if (text !== undefined) limits[name] = wholeNumber(flagOf(name), text, 0);
  }
  const files = [path];
  const { folder: place } = platform.locate(path);
  const folder = options.externalData === true ? platform.openFolder(place) : undefined;
  const externalData: LoadOptions["externalData"] = folder && {
    sizeOf: (name) => folder.sizeOf(name),
    read(name, offset, length) {
      files.push(`${place}/${name}`);
      return folder.read(name, offset, length);
    },
  };
  try {
    const notes: string[] = [];
    const model = await loadModel(path, {
      ...limits,
      ...(options.foldInt8 === true
        ? { foldIntegers: (folded) => notes.push(foldedText(path, folded)) }
        : {}),
      ...(externalData === undefined ? {} : { externalData }),
    });
    return { model, files: [...new Set(files)], notes };
  } catch (error) {
    throw inOptions(inFile(error, path));
  } finally {
    folder?.close();
  }
}

function foldedText(
  path: string,
  { tensors, activations }: { tensors: number; activations: number },
): string {
  if (tensors === 0)
    return `--fold-int8 changed nothing: ${path} has no int8 or uint8 weights in a form that espalier can fold`;
  const moved =
    activations === 0
      ? "it computes the same"
      : `activations in ${activations} places are no longer rounded to 8 bits, so outputs differ from the file's by the effect of that rounding`;
  return `--fold-int8 made float32 of ${tensors} tensors of ${path}; ${moved}`;
}

/** The library's remedy names its own options, which have flags here. */
function inOptions(error: unknown): unknown {
  if (!(error instanceof EspalierError) || error.remedy === undefined) return error;
  const remedy = error.remedy
    .replaceAll(/\b(max[A-Z]\w+)\b/g, (name) => (Object.hasOwn(limitHelp, name) ? flagOf(name) : name))
    .replaceAll(/\bexternalData\b/g, "--external-data");
  const { code, thing, rule, received, cause } = error;
  return new EspalierError(code, { thing, rule, received, cause, remedy });
}

function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
