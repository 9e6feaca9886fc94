import { ints } from "../graph/model.ts";
import { checkOptionNames, type OptionNames } from "../tensor/known-options.ts";
import type { Layer } from "./layer.ts";

export interface PoolOptions {
  /** Default: the size of the window, so that windows do not overlap. */
  readonly stride?: number;
  /** Default 0. */
  readonly padding?: number;
}

const optionNames: OptionNames<PoolOptions> = { stride: true, padding: true };

function pool(
  op: "MaxPool" | "AveragePool",
  size: number,
  { stride = size, padding = 0 }: PoolOptions,
): Layer {
  return {
    kind: "pool",
    build: ({ graph, name }, input) =>
      graph.emit(
        op,
        [input],
        {
          kernel_shape: ints([size, size]),
          strides: ints([stride, stride]),
          pads: ints([padding, padding, padding, padding]),
        },
        name,
      ),
  };
}

/** Maximum over square windows. Input [batch, channels, height, width]. ONNX MaxPool. */
export function maxPool(size: number, options: PoolOptions = {}): Layer {
  checkOptionNames("maxPool", options, optionNames);
  return pool("MaxPool", size, options);
}

/** Mean over square windows; padding is not counted. ONNX AveragePool. */
export function averagePool(size: number, options: PoolOptions = {}): Layer {
  checkOptionNames("averagePool", options, optionNames);
  return pool("AveragePool", size, options);
}

/** Mean over the whole image: [batch, channels, height, width] to [batch, channels, 1, 1]. ONNX GlobalAveragePool. */
export function globalAveragePool(): Layer {
  return {
    kind: "pool",
    build: ({ graph, name }, input) => graph.emit("GlobalAveragePool", [input], {}, name),
  };
}

/** [batch, ...] to [batch, product]. ONNX Flatten. */
export function flatten(): Layer {
  return { kind: "flatten", build: ({ graph, name }, input) => graph.emit("Flatten", [input], {}, name) };
}
