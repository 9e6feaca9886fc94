import type { Dataset } from "../../data/dataset.ts";
import type { Model } from "../../graph/model.ts";
import type { ActivationName } from "../../nn/activation.ts";
import { cnn } from "../../nn/cnn.ts";
import { mlp } from "../../nn/mlp.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { type LossOf, lossOf } from "../../training/losses/index.ts";
import { badOption } from "./option-values.ts";

export interface NetworkOptions {
  /** Every size, including first and last; undefined if they follow from the data. */
  readonly layers: readonly number[] | undefined;
  /** Filters of the convolutions; empty for none. */
  readonly conv: readonly number[];
  readonly hidden: readonly number[];
  readonly activation: ActivationName;
  readonly batchNorm: boolean;
  readonly dropout: number;
  readonly seed: number;
}

/** The network that the options describe, fitted to the data. Throws `USAGE` if pooling leaves nothing. */
export function buildNetwork(options: NetworkOptions, data: Dataset, loss: LossOf): Model {
  const { activation, batchNorm, dropout, seed, conv, hidden } = options;
  const common = { activation, batchNorm, dropout, seed };
  if (options.layers !== undefined) return mlp(options.layers, common);
  const outputs = outputsOf(data, loss);
  if (conv.length === 0) return mlp([sizeOf(data.featureDims), ...hidden, outputs], common);
  const [channels = 1, height = 1, width = 1] = data.featureDims;
  if (Math.min(height, width) < 2 ** conv.length) {
    throw badOption(
      "--conv",
      `each of ${conv.length} convolutions halves the image, and ${height} × ${width} is too small for that`,
      conv.join(),
      "Use fewer convolutions.",
    );
  }
  return cnn({ ...common, input: [channels, height, width], filters: conv, hidden, classes: outputs });
}

/** The loss that suits the data's targets, unless the caller names another that fits. Throws `USAGE`. */
export function lossFor(data: Dataset, wanted: LossOf | undefined): LossOf {
  const loss = wanted ?? (data.labels === undefined ? "meanSquaredError" : "crossEntropy");
  const { name, predicts } = lossOf(loss);
  if (predicts === "class" && data.labels === undefined) {
    throw badOption(
      "--loss",
      `"${data.name}" has numbers to predict, not classes`,
      name,
      "Use meanSquaredError.",
    );
  }
  if (predicts === "class" && data.classes === 1) {
    throw new EspalierError("LABEL_RANGE", {
      thing: `labels of "${data.name}"`,
      rule: "must have at least two classes",
      received: data.classNames?.[0] ?? data.labels?.[0],
      remedy: "Choose another column with --label.",
    });
  }
  if (predicts === "number" && data.targets === undefined) {
    throw badOption(
      "--loss",
      `"${data.name}" has classes, not numbers to predict`,
      name,
      "Use crossEntropy.",
    );
  }
  if (predicts === "side" && data.targets === undefined && data.classes !== 2) {
    throw badOption(
      "--loss",
      `needs two classes; "${data.name}" has ${data.classes}`,
      name,
      "Use crossEntropy.",
    );
  }
  return loss;
}

function outputsOf(data: Dataset, loss: LossOf): number {
  if (lossOf(loss).predicts === "class") return data.classes ?? 1;
  return data.targetDims === undefined ? 1 : sizeOf(data.targetDims);
}

function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}
