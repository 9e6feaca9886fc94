// espalier/nn: layers and ready architectures, and what a layer of your own is made of.

// Architectures

export { type CnnOptions, cnn } from "./cnn.ts";
export { type MlpOptions, mlp } from "./mlp.ts";
export { type ModelOptions, sequential } from "./sequential.ts";

// Layers

export { type ActivationName, activation, activationNames } from "./activation.ts";
export { type BatchNormOptions, batchNorm } from "./batch-norm.ts";
export { type Conv2dOptions, conv2d } from "./conv2d.ts";
export { dropout } from "./dropout.ts";
export { type LinearOptions, linear } from "./linear.ts";
export { averagePool, flatten, globalAveragePool, maxPool, type PoolOptions } from "./pooling.ts";

// A layer of your own

export type { GraphBuilder } from "../graph/builder.ts";
export type { Layer, LayerContext } from "./layer.ts";
