import { platform } from "#platform";
import { elementsFrom } from "../formats/raw.ts";
import type { Model } from "../graph/model.ts";
import type { DType } from "../tensor/dtype.ts";
import { isFloat } from "../tensor/dtype.ts";
import { EspalierError } from "../tensor/errors.ts";
import { sizeOf, type Tensor } from "../tensor/tensor.ts";
import { assemble } from "./architecture/assemble.ts";
import { checkSizes } from "./architecture/check-sizes.ts";
import type { Parameters } from "./architecture/net.ts";
import type { Family, Structure } from "./architecture/structure.ts";
import { familyOf } from "./families/index.ts";
import { type Config, readConfig } from "./folder/config.ts";
import { realsFrom } from "./folder/reals.ts";
import { openWeights, type StoredTensor, type Weights } from "./folder/weights.ts";

/** A folder as Hugging Face's libraries write them: config.json and safetensors files. Opened: close its weights. */
export interface Checkpoint {
  readonly folder: string;
  readonly text: string;
  readonly config: Config;
  readonly family: Family;
  readonly structure: Structure;
  readonly weights: Weights;
  /** The tensors that the model has a use for, by the names that they have on disk. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Of its weights. */
  readonly dtype: DType;
  /** What the files hold beside the model, and why it is left out. */
  readonly ignored: ReadonlyMap<string, string>;
}

/** Opens a folder. Throws `FILE_MISSING`, `FORMAT`, `CONFIG`, `UNSUPPORTED_TYPE`. */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  const { text, config } = await readConfig(folder);
  refuseForeign(config);
  const family = familyOf(config.text("model_type", ""), config.thing);
  const weights = await openWeights(folder);
  try {
    const ignored = new Map<string, string>();
    for (const twin of tiedTwins(config, weights)) {
      ignored.set(twin, "the same as the embeddings that it is tied to");
    }
    const has = (name: string) => weights.tensors.has(name) && !ignored.has(name);
    const structure = family.read(config, has);
    for (const name of weights.tensors.keys()) {
      if (structure.unused?.test(name) === true) ignored.set(name, "a buffer that the class makes itself");
    }
    const tensors = new Map([...weights.tensors].filter(([name]) => !ignored.has(name)));
    checkNames(folder, structure, tensors);
    checkSizes(folder, structure, tensors);
    return {
      folder,
      text,
      config,
      family,
      structure,
      weights,
      tensors,
      dtype: dtypeOf(folder, tensors),
      ignored,
    };
  } catch (error) {
    weights.close();
    throw error;
  }
}

/** What other software made of a model, which cannot be grown as it is. */
function refuseForeign(config: Config): void {
  for (const [key, rule, remedy] of [
    [
      "quantization_config",
      "must not be there: quantized weights cannot grow exactly",
      "Grow the weights that it was made from.",
    ],
    [
      "peft_type",
      "must not be there: an adapter is no model",
      "Merge it into its base model first (merge_and_unload).",
    ],
    [
      "auto_map",
      "must not be there: the model is built by code of its own",
      "Grow it as ONNX: espalier grow model.onnx.",
    ],
    [
      "per_layer_config",
      "must not be there: layers of different sizes are not supported",
      "Grow it as ONNX.",
    ],
  ] as const) {
    if (!config.has(key)) continue;
    throw new EspalierError("CONFIG", {
      thing: `${config.thing}: ${key}`,
      rule,
      received: config.values[key],
      remedy,
    });
  }
}

/** What tables of embeddings are called, and heads or further tables that may be tied to them. */
const heads = /^(lm_head|proj_out|cls\.predictions\.decoder|lm_head\.decoder|vocab_projector)\.weight$/;
const shared = /^shared\.weight$/;
const readers = /^(encoder|decoder)\.embed_tokens\.weight$/;
const tables = /(^|\.)(embed_tokens|wte|word_embeddings)\.weight$/;

/** Tied tensors that are stored all the same. One that differs is the model's own; the others are the embeddings again. */
function tiedTwins(config: Config, weights: Weights): readonly string[] {
  const all = [...weights.tensors.values()];
  const table = all.find(({ name }) => shared.test(name)) ?? all.find(({ name }) => tables.test(name));
  if (table === undefined) return [];
  const untied = config.values.tie_word_embeddings === false;
  const isTwin = ({ name }: StoredTensor) =>
    shared.test(table.name) && readers.test(name) ? true : !untied && heads.test(name);
  return all.filter((one) => isTwin(one) && sameBytes(weights, one, table)).map(({ name }) => name);
}

/** Elements that are compared at a time. */
const pieceElements = 2 ** 20;

function sameBytes(weights: Weights, a: StoredTensor, b: StoredTensor): boolean {
  if (a.dtype !== b.dtype || a.dims.join() !== b.dims.join()) return false;
  const size = a.dims.reduce((product, dim) => product * dim, 1);
  for (let at = 0; at < size; at += pieceElements) {
    const count = Math.min(pieceElements, size - at);
    const [left, right] = [weights.read(a, at, count), weights.read(b, at, count)];
    for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false;
  }
  return true;
}

/** Every tensor must be one that the model is built of, and none may be missing. */
function checkNames(folder: string, structure: Structure, tensors: ReadonlyMap<string, StoredTensor>): void {
  const { graph } = shapesOf(structure, tensors);
  const unknown = [...tensors.keys()].filter((name) => !graph.parameters.has(name));
  if (unknown.length === 0) return;
  throw new EspalierError("FORMAT", {
    thing: folder,
    rule: "must hold the tensors of its model_type, and holds others",
    received: unknown.slice(0, 5),
    remedy: "Its architecture is another one, or it has layers that espalier does not know.",
  });
}

function dtypeOf(folder: string, tensors: ReadonlyMap<string, StoredTensor>): DType {
  const dtypes = [...new Set([...tensors.values()].map(({ dtype }) => dtype))];
  const [dtype, ...others] = dtypes;
  if (dtype !== undefined && others.length === 0 && isFloat(dtype)) return dtype;
  throw new EspalierError("UNSUPPORTED_TYPE", {
    thing: folder,
    rule: "must hold floating-point weights of one type",
    received: dtypes,
    remedy: "Save it anew in one: AutoModel….from_pretrained(FOLDER, dtype=…).save_pretrained(NEW).",
  });
}

/** The model as a graph whose parameters have shapes but no values, for everything that is told by shapes alone. */
export function shapesOf(
  structure: Structure,
  tensors: ReadonlyMap<string, Pick<StoredTensor, "dims">>,
): Model {
  return assemble(structure, shapesAlone(tensors), { folded: true });
}

function shapesAlone(tensors: ReadonlyMap<string, Pick<StoredTensor, "dims">>): Parameters {
  return {
    has: (name) => tensors.has(name),
    tensor(name): Tensor {
      const stored = tensors.get(name);
      if (stored !== undefined) return { dtype: "float32", dims: stored.dims, data: new Float32Array(0) };
      throw new EspalierError("FORMAT", {
        thing: `tensor "${name}"`,
        rule: "must be there: the model is built of it",
        remedy: "Readers would give it random values. Fetch the folder again, or check its model_type.",
      });
    },
  };
}

/** The parameters with their values, as float32: rounded where they are stored in float64. */
export function valuesOf({ weights, tensors }: Pick<Checkpoint, "weights" | "tensors">): Parameters {
  return {
    has: (name) => tensors.has(name),
    tensor(name) {
      const stored = tensors.get(name);
      if (stored === undefined) return shapesAlone(tensors).tensor(name);
      const size = sizeOf(stored.dims);
      const bytes = weights.read(stored, 0, size);
      const data =
        stored.dtype === "float32"
          ? (elementsFrom(name, "float32", stored.dims, bytes) as Float32Array)
          : Float32Array.from(realsFrom(bytes, stored.dtype, size));
      return { dtype: "float32", dims: stored.dims, data };
    },
  };
}

/** The whole model with its values, in float32, as `espalier export` writes it. */
export function modelOf(checkpoint: Checkpoint): Model {
  const model = assemble(checkpoint.structure, valuesOf(checkpoint));
  const { family, folder } = checkpoint;
  return {
    ...model,
    metadata: new Map([
      ["model_type", family.type],
      ["folder", platform.locate(folder).name],
    ]),
  };
}
