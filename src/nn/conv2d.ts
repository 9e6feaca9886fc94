import { int, ints } from "../graph/model.ts";
import { EspalierError } from "../tensor/errors.ts";
import { checkOptionNames, type OptionNames } from "../tensor/known-options.ts";
import { zeros } from "../tensor/tensor.ts";
import { initialWeights } from "./initialize.ts";
import type { Layer } from "./layer.ts";
import { positiveWhole } from "./layer-size.ts";

export interface Conv2dOptions {
  readonly name?: string;
  /** Side length of the square kernel. Default 3. */
  readonly kernel?: number;
  /** Default 1. */
  readonly stride?: number;
  /** Zeros on each side. Default: half the kernel, which keeps the size at stride 1. */
  readonly padding?: number;
  /** Default 1. */
  readonly dilation?: number;
  /** Default 1. */
  readonly groups?: number;
  /** Default true. */
  readonly bias?: boolean;
}

const optionNames: OptionNames<Conv2dOptions> = {
  name: true,
  kernel: true,
  stride: true,
  padding: true,
  dilation: true,
  groups: true,
  bias: true,
};

/** 2-D convolution with W of shape [filters, channels / groups, kernel, kernel]. Input [batch, channels, height, width]. ONNX Conv. */
export function conv2d(filters: number, options: Conv2dOptions = {}): Layer {
  checkOptionNames("conv2d", options, optionNames);
  const { kernel = 3, stride = 1, dilation = 1, groups = 1, bias = true } = options;
  positiveWhole("conv2d", "filters", filters);
  positiveWhole("conv2d", "kernel", kernel);
  positiveWhole("conv2d", "stride", stride);
  positiveWhole("conv2d", "dilation", dilation);
  positiveWhole("conv2d", "groups", groups);
  const padding = options.padding ?? Math.floor((dilation * (kernel - 1)) / 2);
  return {
    kind: "conv",
    ...(options.name === undefined ? {} : { name: options.name }),
    build({ graph, name, random }, input) {
      const [, channels] = graph.typeOf(input).shape;
      if (graph.typeOf(input).shape.length !== 4 || typeof channels !== "number") {
        throw new EspalierError("SHAPE_MISMATCH", {
          thing: `layer "${name}"`,
          rule: "needs an input of shape [batch, channels, height, width]",
          received: graph.typeOf(input).shape,
        });
      }
      if (channels % groups !== 0 || filters % groups !== 0) {
        throw new EspalierError("ARGUMENT", {
          thing: `layer "${name}"`,
          rule: "its groups must divide its channels and its filters",
          received: { channels, filters, groups },
        });
      }
      const dims = [filters, channels / groups, kernel, kernel];
      const weight = graph.parameter(`${name}.weight`, initialWeights(dims, Math.SQRT2, random("weight")));
      const inputs = [input, weight];
      if (bias) inputs.push(graph.parameter(`${name}.bias`, zeros("float32", [filters])));
      return graph.emit(
        "Conv",
        inputs,
        {
          kernel_shape: ints([kernel, kernel]),
          strides: ints([stride, stride]),
          pads: ints([padding, padding, padding, padding]),
          dilations: ints([dilation, dilation]),
          group: int(groups),
        },
        name,
      );
    },
  };
}
