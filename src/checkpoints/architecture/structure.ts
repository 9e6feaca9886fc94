import type { Shape } from "../../graph/dim.ts";
import type { Layout } from "../../graph/layout.ts";
import type { DType } from "../../tensor/dtype.ts";
import type { Config } from "../folder/config.ts";
import type { Net } from "./net.ts";

/** Numbers of hidden units: of MLPs, of those of one stack or kind. */
export const mlpSizes = ["ffn", "encoderFfn", "decoderFfn", "expertFfn", "sharedFfn"] as const;

/** What a configuration gives sizes to. No model has all of them. A model with two stacks has some of them per stack. */
export type SizeName =
  | "hidden"
  | "heads"
  | "kv"
  | "headDim"
  | (typeof mlpSizes)[number]
  | "experts"
  | "perToken"
  | "layers"
  | "encoderLayers"
  | "decoderLayers"
  | "vocab"
  | "positions";
export type Sizes = Readonly<Partial<Record<SizeName, number>>>;

/**
 * Values that one section of a model hands to the next, by name: the stream "h", and whatever later sections need, such as
 * masks, or the encoder's result for the layers of a decoder.
 */
export type State = Readonly<Record<string, string>>;

/** A piece of a model that can be run by itself: the embeddings, a layer, the head. */
export interface Section {
  readonly name: string;
  readonly build: (net: Net, state: State) => State;
}

/** An input of the whole model; its integers are less than `below`, and it has real numbers if there is none. */
export interface ModelInput {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly below?: number;
}

/** An axis of a parameter by which a width is recognized: how it must be cut into units. */
export interface Anchor {
  readonly parameter: string;
  readonly axis: number;
  readonly layout: Layout;
  readonly units: number;
}

/** A row of layers of the same kind. */
export interface Stack {
  /** The part of the model that it is. A model with two stacks has an encoder and a decoder. */
  readonly name: "layers" | "encoder" | "decoder";
  /** The size that counts its layers. */
  readonly size: "layers" | "encoderLayers" | "decoderLayers";
  /** What stands before a layer's number in the names of its parameters, e.g. "model.layers.". */
  readonly prefix: string;
  readonly count: number;
  /** Names within a layer (such as "self_attn.o_proj.weight") whose zeros make a new layer add nothing. */
  readonly silenced: RegExp;
  /** Names within a layer that a new layer has no copy of. */
  readonly once?: RegExp;
  /**
   * Norms behind a layer's branches. A new layer takes the last norm of the one before it, which then only normalizes: to
   * normalize what is normalized changes it by no more than the epsilon.
   */
  readonly postNorm?: { readonly inner: string; readonly last: string };
  /** Where it adds nothing but for an epsilon: how far outputs may move. */
  readonly exactTo?: string;
  /** The stack whose depth the class takes for this one's when it makes a cache: this one must not become deeper. */
  readonly cachedBy?: Stack["name"];
  /** Keys of generation_config.json with lists of [layer, head]. */
  readonly listedHeads?: readonly string[];
  /** Fields that depend on the layers' numbers: their values when the layers are these old ones in this order. */
  readonly lists: Readonly<Record<string, (order: readonly number[]) => unknown>>;
}

/** What the three projections of a gated MLP are called. */
export interface GatedNames {
  readonly gate: string;
  readonly up: string;
  readonly down: string;
}

/** The modules of a sparse layer, by the layer's name. */
export interface ExpertNames {
  readonly router: (layer: string) => string;
  readonly expert: (layer: string, index: number) => GatedNames;
  readonly shared?: (layer: string) => GatedNames & { readonly sharedGate: string };
}

/** Modules of a layer with experts. The router has a row for each expert. */
export interface ExpertLayer {
  readonly router: string;
  readonly expert: (index: number) => GatedNames;
}

/** A model as its configuration says it is built. Everything else is found in the graph that its sections write. */
export interface Structure {
  readonly sizes: Sizes;
  /** The fields that hold a size; where several do, all are written. */
  readonly fields: Readonly<Partial<Record<SizeName, readonly string[]>>>;
  readonly inputs: readonly ModelInput[];
  readonly sections: readonly Section[];
  /** What of the last section's state is the model's output. */
  readonly output: string;
  readonly anchors: Readonly<Partial<Record<SizeName | "queries", readonly Anchor[]>>>;
  /** Parameters whose first axis is the vocabulary. */
  readonly vocabulary: readonly string[];
  /** Tables whose first axis is the positions, and how many rows they have more. */
  readonly positions: readonly { readonly name: string; readonly more: number }[];
  readonly stacks: readonly Stack[];
  /** The layers that have experts. */
  readonly experts?: readonly ExpertLayer[];
  /** Positions that a sliding layer looks back. */
  readonly window?: number | undefined;
  /** Whether the head is the table of embeddings. */
  readonly tied: boolean;
  /** The norms of the stream: the last, and those whose result is added to it. */
  readonly lastNorm: readonly string[];
  readonly addedNorms?: RegExp;
  /** What the class adds to the scale that a norm stores. */
  readonly normOffset?: { readonly names: RegExp; readonly by: number };
  /** Tables that the stream begins with and that the class multiplies by `embeddingFactor`. */
  readonly embedded?: readonly string[];
  /** What the class multiplies the embeddings by, at this hidden size; 1 where absent. */
  readonly embeddingFactor?: (hidden: number) => number;
  /** What the class multiplies the last norm's result by. */
  readonly headFactor?: (hidden: number) => number;
  /** Fields that must be written out so that they stay what they are. */
  readonly pinned: Readonly<Record<string, unknown>>;
  /** Parameters of the files that the model has no use for. */
  readonly unused?: RegExp;
  /** Standard deviation that the class draws new rows of tables with. */
  readonly initializer: number;
}

/** Why the class would not open a configuration, and the next size that it would. */
export interface ClassRule {
  readonly field: string;
  readonly rule: string;
  readonly received: unknown;
  readonly remedy: string;
}

/** A family that a dense one becomes with experts. */
export interface SparseTwin {
  readonly family: Family;
  /** What its classes' names begin with, e.g. "Mixtral". */
  readonly className: string;
  readonly names: ExpertNames;
  /** Fields that it needs besides those that stay; `width` is the units of an MLP. */
  readonly fields: (
    config: Config,
    sizes: { readonly experts: number; readonly perToken: number; readonly width: number },
  ) => Readonly<Record<string, unknown>>;
  /** Throws `NOT_GROWABLE` for a model that has what the family lacks. */
  readonly check?: (config: Config, has: (name: string) => boolean) => void;
}

/** An architecture: one file, one line in the table. */
export interface Family {
  /** `model_type` in config.json. */
  readonly type: string;
  /** Fields with "layer" in their name that are understood (the rest are refused when depth changes). */
  readonly layerFields: readonly string[];
  /** How a model is built. `headDim` is that of the weights, where the configuration does not have it yet. */
  readonly read: (config: Config, has: (name: string) => boolean, headDim?: number) => Structure;
  /** The family that its models become when every MLP becomes a choice among copies of itself. */
  readonly sparse?: SparseTwin;
  /** What the class insists on. */
  readonly rules: (config: Config, structure: Structure) => readonly ClassRule[];
}
