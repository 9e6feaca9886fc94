import type { Model } from "../graph/model.ts";
import { checkOptionNames, type OptionNames } from "../tensor/known-options.ts";
import { type ActivationName, activation } from "./activation.ts";
import { batchNorm } from "./batch-norm.ts";
import { conv2d } from "./conv2d.ts";
import { dropout } from "./dropout.ts";
import type { Layer } from "./layer.ts";
import { linear } from "./linear.ts";
import { flatten, maxPool } from "./pooling.ts";
import { type ModelOptions, modelNames, stack } from "./sequential.ts";

export interface CnnOptions extends ModelOptions {
  /** Shape of one example: [channels, height, width]. */
  readonly input: readonly [number, number, number];
  /** Filters of each convolution; each is followed by an activation and a 2×2 max pool. */
  readonly filters: readonly number[];
  /** Units of the hidden linear layers after the convolutions. Default: none. */
  readonly hidden?: readonly number[];
  readonly classes: number;
  /** Default 3. */
  readonly kernel?: number;
  /** Default "relu". */
  readonly activation?: ActivationName;
  /** Default false. */
  readonly batchNorm?: boolean;
  /** Before the last layer. Default 0. */
  readonly dropout?: number;
}

const optionNames: OptionNames<CnnOptions> = {
  ...modelNames,
  input: true,
  filters: true,
  hidden: true,
  classes: true,
  kernel: true,
  activation: true,
  batchNorm: true,
  dropout: true,
};

/** A convolutional classifier. Its widths are conv1, conv2, ..., hidden1, ... */
export function cnn(options: CnnOptions): Model {
  checkOptionNames("cnn", options, optionNames);
  const act = activation(options.activation ?? "relu");
  // BatchNorm subtracts the mean, and any bias with it; its own shift takes over.
  const bias = !options.batchNorm;
  const normalized = options.batchNorm ? [batchNorm()] : [];
  const layers: Layer[] = [
    ...options.filters.flatMap((filters) => [
      conv2d(filters, { kernel: options.kernel ?? 3, bias }),
      ...normalized,
      act,
      maxPool(2),
    ]),
    flatten(),
    ...(options.hidden ?? []).flatMap((units) => [linear(units, { bias }), ...normalized, act]),
    ...(options.dropout ? [dropout(options.dropout)] : []),
    linear(options.classes),
  ];
  return stack(options.input, layers, options);
}
