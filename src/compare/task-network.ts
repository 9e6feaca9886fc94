import type { Dataset } from "../data/dataset.ts";
import type { Model } from "../graph/model.ts";
import { cnn } from "../nn/cnn.ts";
import { mlp } from "../nn/mlp.ts";
import { sizeOf } from "../tensor/tensor.ts";
import { lossNamed } from "../training/losses/index.ts";
import type { Size, TaskConfig } from "./config.ts";

/** The network of a given size, with inputs and outputs to fit the data. */
export function taskNetwork({ network, loss }: TaskConfig, size: Size, data: Dataset, seed: number): Model {
  const { activation, batchNorm, dropout, bias } = network;
  const common = { activation, batchNorm, dropout, seed };
  const outputs =
    lossNamed(loss.name, loss.options).predicts === "class"
      ? (data.classes ?? 1)
      : sizeOf(data.targetDims ?? [1]);
  if (network.kind === "mlp")
    return mlp([sizeOf(data.featureDims), ...size.hidden, outputs], { ...common, bias });
  const [channels = 1, height = 1, width = 1] = data.featureDims;
  return cnn({ ...common, input: [channels, height, width], ...size, classes: outputs });
}
