import { activation, gated } from "./activations.ts";
import { attention } from "./attention.ts";
import * as branches from "./branches.ts";
import * as images from "./convolutions.ts";
import type { Draft } from "./draft.ts";
import { hostile } from "./hostile.ts";
import { linear } from "./linear.ts";
import * as norms from "./normalizations.ts";
import * as sequences from "./sequences.ts";

/** The shape of a value: [batch, units], [batch, positions, units] or [batch, channels, height, width]. */
export type Kind = "vector" | "tokens" | "image";

/** One part of a model: maps a value of one kind to another, of the same kind if `gives` is absent. */
export interface Piece {
  readonly name: string;
  readonly takes: readonly Kind[];
  readonly gives?: Kind;
  /** Its arithmetic cannot be exact. */
  readonly inexact?: boolean;
  readonly build: (draft: Draft, x: string) => string;
}

const units: readonly Kind[] = ["vector", "tokens"];
const tokens: readonly Kind[] = ["tokens"];
const image: readonly Kind[] = ["image"];

/** What models are made of. */
export const pieces: readonly Piece[] = [
  { name: "linear", takes: units, build: (draft, x) => linear(draft, x, draft.size()) },
  { name: "layer", takes: units, build: (draft, x) => activation(draft, linear(draft, x, draft.size())) },
  { name: "gated", takes: units, build: (draft, x) => draft.as("gated MLP", () => gated(draft, x)) },
  { name: "residual", takes: units, build: branches.residual },
  { name: "concatenated", takes: units, build: branches.concatenated },
  { name: "split", takes: units, build: branches.split },
  { name: "halves met", takes: units, build: branches.halvesMet },
  { name: "masked", takes: units, build: branches.masked },
  { name: "repeated", takes: units, build: branches.repeated },
  { name: "autoencoder", takes: units, build: branches.autoencoder },
  { name: "pooled", takes: units, build: branches.pooled },
  { name: "normalized", takes: units, inexact: true, build: branches.normalized },
  { name: "LayerNorm", takes: units, inexact: true, build: norms.layerNorm },
  { name: "written LayerNorm", takes: units, inexact: true, build: norms.writtenLayerNorm },
  { name: "written RMSNorm", takes: units, inexact: true, build: norms.writtenRmsNorm },
  { name: "BatchNorm", takes: ["vector", "image"], build: norms.batchNorm },
  { name: "attention", takes: tokens, build: attention },
  {
    name: "attention",
    takes: tokens,
    build: (draft, x) => draft.emit("Add", [x, linear(draft, attention(draft, x), draft.width(x))]),
  },
  { name: "mixed", takes: tokens, build: sequences.mixed },
  { name: "convolved", takes: tokens, build: sequences.convolved },
  { name: "summary", takes: tokens, gives: "vector", build: sequences.summary },
  { name: "conv", takes: image, build: (draft, x) => activation(draft, images.conv(draft, x)) },
  { name: "activation", takes: image, build: activation },
  { name: "grouped", takes: image, build: images.groupedConv },
  { name: "separable", takes: image, build: images.separableConv },
  { name: "transposed", takes: image, build: images.transposedConv },
  { name: "pool", takes: image, build: images.pool },
  { name: "conv residual", takes: image, build: images.convResidual },
  { name: "channels", takes: image, build: images.concatChannels },
  { name: "squeeze and excite", takes: image, build: images.squeezeExcite },
  { name: "shuffled", takes: image, build: images.shuffled },
  { name: "padded", takes: image, build: images.padded },
  { name: "resized", takes: image, build: images.resized },
  { name: "GroupNorm", takes: image, inexact: true, build: norms.groupNorm },
  { name: "InstanceNorm", takes: image, inexact: true, build: norms.instanceNorm },
  { name: "flattened", takes: image, gives: "vector", build: images.flattened },
  { name: "patches", takes: image, gives: "tokens", build: images.patches },
];

/** Pieces that a width often cannot pass. */
export const obstacles: readonly Piece[] = Object.entries(hostile).map(([name, build]) => ({
  name,
  takes: units,
  inexact: name.startsWith("Softmax"),
  build: (draft: Draft, x: string) => draft.as(name, () => build(draft, x)),
}));
