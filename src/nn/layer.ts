import type { GraphBuilder } from "../graph/builder.ts";
import type { Random } from "../tensor/random.ts";

/** What a layer sees when it is built. */
export interface LayerContext {
  readonly graph: GraphBuilder;
  /** The layer's name; its parameters are called `${name}.weight` and the like. */
  readonly name: string;
  /** Whether this is the last layer that has weights: its outputs are the model's. */
  readonly last: boolean;
  /** The generator of one parameter's initial values. */
  random(parameter: string): Random;
}

/** A layer: a kind (which numbers its default name: hidden1, conv1, ...) and a function that writes its nodes. */
export interface Layer {
  readonly kind: string;
  /** Overrides the default name. */
  readonly name?: string;
  /** Adds the layer after value `input` and returns its output. */
  readonly build: (context: LayerContext, input: string) => string;
}
