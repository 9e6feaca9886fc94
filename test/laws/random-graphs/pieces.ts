import { activation, gated } from "./activations.ts";
import * as branches from "./branches.ts";
import type { Draft } from "./draft.ts";
import { hostile } from "./hostile.ts";
import { linear } from "./linear.ts";
import * as norms from "./normalizations.ts";

/** What a value is: [batch, units], [batch, positions, units] or [batch, channels, height, width]. */
export type Kind = "vector" | "tokens" | "image";

/** One part of a model: takes a value of one kind and gives one. */
export interface Piece {
  readonly name: string;
  readonly takes: readonly Kind[];
  readonly gives?: Kind;
  /** Whether its arithmetic can be exact. */
  readonly exact: boolean;
  readonly build: (draft: Draft, x: string) => string;
}

const units: readonly Kind[] = ["vector", "tokens"];

export const pieces: readonly Piece[] = [
  { name: "linear", takes: units, exact: true, build: (draft, x) => linear(draft, x, draft.size()) },
  {
    name: "layer",
    takes: units,
    exact: true,
    build: (draft, x) => activation(draft, linear(draft, x, draft.size())),
  },
  { name: "activation", takes: ["vector", "tokens", "image"], exact: true, build: activation },
  { name: "gated", takes: units, exact: true, build: gated },
  { name: "residual", takes: units, exact: true, build: branches.residual },
  { name: "concatenated", takes: units, exact: true, build: branches.concatenated },
  { name: "split", takes: units, exact: true, build: branches.split },
  { name: "halves met", takes: units, exact: true, build: branches.halvesMet },
  { name: "masked", takes: units, exact: true, build: branches.masked },
  { name: "repeated", takes: units, exact: true, build: branches.repeated },
  { name: "autoencoder", takes: units, exact: true, build: branches.autoencoder },
  { name: "pooled", takes: units, exact: true, build: branches.pooled },
  { name: "normalised", takes: units, exact: false, build: branches.normalised },
  { name: "LayerNorm", takes: units, exact: false, build: norms.layerNorm },
  { name: "written LayerNorm", takes: units, exact: false, build: norms.writtenLayerNorm },
  { name: "written RMSNorm", takes: units, exact: false, build: norms.writtenRmsNorm },
  { name: "BatchNorm", takes: ["vector", "image"], exact: true, build: norms.batchNorm },
  ...Object.entries(hostile).map(([name, build]): Piece => {
    const inexact = ["Softmax over the width"].includes(name);
    return {
      name,
      takes: units,
      exact: !inexact,
      build: (draft, x) => draft.as(name, () => build(draft, x)),
    };
  }),
];
