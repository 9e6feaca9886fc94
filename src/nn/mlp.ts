import type { Model } from "../graph/model.ts";
import { EspalierError } from "../tensor/errors.ts";
import { checkOptionNames, type OptionNames } from "../tensor/known-options.ts";
import { type ActivationName, activation } from "./activation.ts";
import { batchNorm } from "./batch-norm.ts";
import { dropout } from "./dropout.ts";
import type { Layer } from "./layer.ts";
import { linear } from "./linear.ts";
import { type ModelOptions, modelNames, stack } from "./sequential.ts";

export interface MlpOptions extends ModelOptions {
  /** Activation after every hidden layer. Default "relu". */
  readonly activation?: ActivationName;
  /** Whether layers have biases. Default true. */
  readonly bias?: boolean;
  /** Default false. */
  readonly batchNorm?: boolean;
  /** Ratio dropped after every hidden layer. Default 0. */
  readonly dropout?: number;
}

const optionNames: OptionNames<MlpOptions> = {
  ...modelNames,
  activation: true,
  bias: true,
  batchNorm: true,
  dropout: true,
};

/** A multilayer perceptron: `sizes` are features, hidden units ..., outputs. Hidden layers are hidden1, hidden2, ... */
export function mlp(sizes: readonly number[], options: MlpOptions = {}): Model {
  checkOptionNames("mlp", options, optionNames);
  const [features, ...units] = sizes;
  if (
    features === undefined ||
    units.length === 0 ||
    sizes.some((size) => !Number.isSafeInteger(size) || size < 1)
  ) {
    throw new EspalierError("ARGUMENT", {
      thing: "mlp",
      rule: "needs at least two positive whole sizes: features, hidden units ..., outputs",
      received: sizes,
      remedy: "For example mlp([64, 8, 10]).",
    });
  }
  const { bias = true } = options;
  const layers = units.flatMap((size, index): Layer[] =>
    index === units.length - 1
      ? [linear(size, { bias })]
      : [
          // BatchNorm subtracts the mean, and any bias with it; its own shift takes over.
          linear(size, { bias: bias && !options.batchNorm }),
          ...(options.batchNorm ? [batchNorm()] : []),
          activation(options.activation ?? "relu"),
          ...(options.dropout ? [dropout(options.dropout)] : []),
        ],
  );
  return stack([features], layers, options);
}
