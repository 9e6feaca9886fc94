import type { Model } from "../../../src/index.ts";
import {
  type ActivationName,
  activation,
  averagePool,
  batchNorm,
  type Conv2dOptions,
  conv2d,
  dropout,
  flatten,
  globalAveragePool,
  type Layer,
  type LinearOptions,
  linear,
  maxPool,
  type PoolOptions,
  sequential,
} from "../../../src/nn/index.ts";

/** A layer as the oracles write it in JSON. */
export type LayerSpec =
  | { readonly kind: "linear"; readonly units: number; readonly options: LinearOptions }
  | { readonly kind: "conv2d"; readonly filters: number; readonly options: Conv2dOptions }
  | { readonly kind: "maxPool" | "averagePool"; readonly size: number; readonly options: PoolOptions }
  | { readonly kind: "activation"; readonly name: ActivationName }
  | { readonly kind: "dropout"; readonly ratio: number }
  | { readonly kind: "batchNorm" | "flatten" | "globalAveragePool" };

export interface ModelSpec {
  readonly input: readonly number[];
  readonly layers: readonly LayerSpec[];
  readonly seed: number;
}

export function modelOf({ input, layers, seed }: ModelSpec): Model {
  return sequential(input, layers.map(layerOf), { seed });
}

function layerOf(spec: LayerSpec): Layer {
  switch (spec.kind) {
    case "linear":
      return linear(spec.units, spec.options);
    case "conv2d":
      return conv2d(spec.filters, spec.options);
    case "maxPool":
      return maxPool(spec.size, spec.options);
    case "averagePool":
      return averagePool(spec.size, spec.options);
    case "activation":
      return activation(spec.name);
    case "dropout":
      return dropout(spec.ratio);
    case "batchNorm":
      return batchNorm();
    case "flatten":
      return flatten();
    case "globalAveragePool":
      return globalAveragePool();
  }
}
