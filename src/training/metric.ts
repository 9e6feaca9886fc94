import type { Tensor } from "../tensor/tensor.ts";
import type { LossChoice } from "./loss.ts";

/** A number per example, averaged over a data set. */
export interface Metric {
  readonly name: string;
  /** Whether larger is better. */
  readonly better: "higher" | "lower";
  /** Sum over the batch of the metric of each example. `output` is [batch, ...]. */
  readonly sum: (output: Tensor, target: Tensor | undefined) => number;
}

/** Share of examples whose largest logit is the label's. */
export const accuracy: Metric = {
  name: "accuracy",
  better: "higher",
  sum(output, target) {
    const classes = output.dims[1] ?? 1;
    const logits = output.data as Float32Array;
    let right = 0;
    for (let row = 0; row < (output.dims[0] ?? 0); row++) {
      let best = 0;
      for (let column = 1; column < classes; column++) {
        if ((logits[row * classes + column] as number) > (logits[row * classes + best] as number))
          best = column;
      }
      if (best === Number(target?.data[row])) right++;
    }
    return right;
  },
};

/** Share of outputs whose logit is on the target's side of zero. */
export const binaryAccuracy: Metric = {
  name: "accuracy",
  better: "higher",
  sum(output, target) {
    const logits = output.data as Float32Array;
    const perExample = logits.length / (output.dims[0] ?? 1);
    let right = 0;
    logits.forEach((logit, index) => {
      if (logit > 0 === Number(target?.data[index]) > 0.5) right++;
    });
    return right / perExample;
  },
};

/** Mean |x - y| over the outputs of an example. */
export const meanAbsoluteError: Metric = {
  name: "meanAbsoluteError",
  better: "lower",
  sum(output, target) {
    const values = output.data as Float32Array;
    const perExample = values.length / (output.dims[0] ?? 1);
    let sum = 0;
    values.forEach((value, index) => {
      sum += Math.abs(value - Number(target?.data[index]));
    });
    return sum / perExample;
  },
};

/** What is measured beside each loss unless the caller says otherwise. */
export function defaultMetrics(loss: LossChoice): readonly Metric[] {
  switch (loss) {
    case "crossEntropy":
      return [accuracy];
    case "binaryCrossEntropy":
      return [binaryAccuracy];
    case "meanSquaredError":
      return [meanAbsoluteError];
    default:
      return [];
  }
}
