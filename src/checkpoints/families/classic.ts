import { unitLayout } from "../../graph/layout.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { attend, joinHeads, splitHeads } from "../architecture/attention.ts";
import type { Net } from "../architecture/net.ts";
import type {
  Anchor,
  ClassRule,
  Section,
  Sizes,
  Stack,
  State,
  Structure,
} from "../architecture/structure.ts";
import type { Config } from "../folder/config.ts";

/** Sizes of a model whose heads all have keys and values of their own, and divide its stream among them. */
export type ClassicSizes = Sizes &
  Readonly<Record<"hidden" | "heads" | "headDim" | "ffn" | "layers", number>>;

/** What a family says of itself. */
export interface Classic {
  readonly sizes: ClassicSizes;
  readonly fields: Structure["fields"];
  /** Names of a layer's parameters begin with it and the layer's number. */
  readonly prefix: string;
  readonly embeddings: Section["build"];
  readonly layer: (net: Net, state: State, name: string, index: number) => string;
  readonly head: (net: Net, h: string) => string;
  /** Default: token ids [batch, sequence]. */
  readonly inputs?: Structure["inputs"];
  /** A parameter of which one axis is the stream. */
  readonly stream: Pick<Anchor, "parameter" | "axis">;
  readonly vocabulary: readonly string[];
  readonly positions: Structure["positions"];
  readonly ffn: (name: string) => Pick<Anchor, "parameter" | "axis">;
  readonly heads: (name: string) => Omit<Anchor, "units">;
  readonly silenced: RegExp;
  readonly postNorm?: Stack["postNorm"];
  readonly tied: boolean;
  readonly lastNorm: readonly string[];
  readonly pinned?: Readonly<Record<string, unknown>>;
  readonly unused?: RegExp;
  readonly initializer: number;
}

/** A model of learned or turned positions, LayerNorm and full heads, from GPT-2's and BERT's time. */
export function classic(family: Classic): Structure {
  const { sizes, fields, prefix, tied, lastNorm } = family;
  const names = Array.from({ length: sizes.layers }, (_, index) => `${prefix}${index}`);
  const layers = names.map(
    (name, index): Section => ({
      name: `layer ${index}`,
      build: (net, state) => ({ ...state, h: family.layer(net, state, name, index) }),
    }),
  );
  return {
    sizes,
    fields,
    inputs: family.inputs ?? [
      { name: "ids", dtype: "int64", shape: ["batch", "sequence"], below: sizes.vocab as number },
    ],
    sections: [
      { name: "embeddings", build: family.embeddings },
      ...layers,
      { name: "head", build: (net, { h }) => ({ logits: family.head(net, h as string) }) },
    ],
    output: "logits",
    anchors: {
      hidden: [{ ...family.stream, layout: unitLayout, units: sizes.hidden }],
      ffn: names.map((name) => ({ ...family.ffn(name), layout: unitLayout, units: sizes.ffn })),
      heads: names.map((name) => ({ ...family.heads(name), units: sizes.heads })),
    },
    vocabulary: family.vocabulary,
    positions: family.positions,
    stacks: [
      {
        name: "layers",
        size: "layers",
        prefix,
        count: sizes.layers,
        silenced: family.silenced,
        lists: {},
        ...(family.postNorm === undefined ? {} : { postNorm: family.postNorm, exactTo: "an epsilon" }),
      },
    ],
    tied,
    lastNorm,
    pinned: family.pinned ?? {},
    ...(family.unused === undefined ? {} : { unused: family.unused }),
    initializer: family.initializer,
  };
}

/** The sizes of the fields, by name. */
export function classicSizes(
  config: Config,
  keys: Readonly<Record<"hidden" | "heads" | "ffn" | "layers" | "vocab" | "positions", string>>,
  headDim: number | undefined,
  ffn?: number,
): ClassicSizes {
  const [hidden, heads] = [config.count(keys.hidden), config.few(keys.heads)];
  return {
    hidden,
    heads,
    headDim: headDim ?? Math.floor(hidden / heads),
    ffn: config.count(keys.ffn, ffn),
    layers: config.few(keys.layers),
    vocab: config.count(keys.vocab),
    positions: config.count(keys.positions),
  };
}

/** Heads side by side: queries, keys and values of three weights. */
export function fullAttention(
  net: Net,
  [q, k, v]: readonly [string, string, string],
  { heads, headDim }: Pick<ClassicSizes, "heads" | "headDim">,
  mask?: string,
  scale = headDim ** -0.5,
): string {
  const cut = (x: string) => splitHeads(net, x, { groups: heads, queries: 1, headDim });
  return joinHeads(
    net,
    attend(net, [cut(q), cut(k), cut(v)], { scale, ...(mask === undefined ? {} : { mask }) }),
  );
}

/** Heads divide the stream. */
export function headsDivide(config: Config, hidden: string, heads: string): readonly ClassRule[] {
  const [size, count] = [config.count(hidden), config.few(heads)];
  if (size % count === 0) return [];
  return [
    {
      field: hidden,
      rule: `must be a multiple of ${heads} (${count})`,
      received: size,
      remedy: `The next that is: ${hidden} ${Math.ceil(size / count) * count}.`,
    },
  ];
}

/** Throws `CONFIG` for what a class can do and this family does not. */
export function refuseVariant(config: Config, key: string, rule: string): never {
  throw new EspalierError("CONFIG", {
    thing: `${config.thing}: ${key}`,
    rule,
    received: config.values[key],
    remedy: "Grow it as ONNX: espalier grow model.onnx.",
  });
}
