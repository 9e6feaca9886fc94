import { float } from "../graph/model.ts";
import { EspalierError } from "../tensor/errors.ts";
import { checkOptionNames, type OptionNames } from "../tensor/known-options.ts";
import { full, zeros } from "../tensor/tensor.ts";
import type { Layer } from "./layer.ts";

export interface BatchNormOptions {
  readonly name?: string;
  /** Added to the variance. Default 1e-5. */
  readonly epsilon?: number;
  /** Share of the old running statistics that is kept each step (ONNX's convention; 1 - PyTorch's). Default 0.9. */
  readonly momentum?: number;
}

const optionNames: OptionNames<BatchNormOptions> = { name: true, epsilon: true, momentum: true };

/** Batch normalization over axis 1. Input [batch, channels, ...]. ONNX BatchNormalization. */
export function batchNorm(options: BatchNormOptions = {}): Layer {
  checkOptionNames("batchNorm", options, optionNames);
  return {
    kind: "norm",
    ...(options.name === undefined ? {} : { name: options.name }),
    build({ graph, name }, input) {
      const channels = graph.typeOf(input).shape[1];
      if (typeof channels !== "number") {
        throw new EspalierError("SHAPE_MISMATCH", {
          thing: `layer "${name}"`,
          rule: "needs a known number of channels on axis 1",
          received: graph.typeOf(input).shape,
        });
      }
      return graph.emit(
        "BatchNormalization",
        [
          input,
          graph.parameter(`${name}.weight`, full([channels], 1)),
          graph.parameter(`${name}.bias`, zeros("float32", [channels])),
          graph.parameter(`${name}.mean`, zeros("float32", [channels])),
          graph.parameter(`${name}.variance`, full([channels], 1)),
        ],
        { epsilon: float(options.epsilon ?? 1e-5), momentum: float(options.momentum ?? 0.9) },
        name,
      );
    },
  };
}
