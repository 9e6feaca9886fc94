import { type Dataset, ignoredLabel } from "../../data/dataset.ts";
import { sizeOf, type Tensor } from "../../tensor/tensor.ts";
import { countedExamples } from "./counted.ts";
import type { LossChoice } from "./loss.ts";

/** A number per example, averaged over a data set. */
export interface Metric {
  readonly name: string;
  /** Whether larger is better. */
  readonly better: "higher" | "lower";
  /** Sum over the batch of the metric of each example. `output` is [batch, ...]. */
  readonly sum: (output: Tensor, target: Tensor | undefined) => number;
  /** How many examples of the batch that is over: fewer if some of their labels do not count. Default all. */
  readonly counted?: (target: Tensor) => number;
  /** What is reported of the mean over the examples of `data`; default: the mean itself. */
  readonly report?: (mean: number, data: Dataset) => number;
}

/** Share of labels [batch, ...] that have the largest of the logits [batch, classes, ...]; those that do not count left out. */
export const accuracy: Metric = {
  name: "accuracy",
  better: "higher",
  counted: (labels) => countedExamples(labels, undefined),
  sum: (output, target) => {
    const [batch = 0, classes = 1, ...positions] = output.dims;
    return rightShares(output, target, { batch, classes, positions: sizeOf(positions), classesLast: false });
  },
};

/** Share of labels [batch, ...] that have the largest of the logits [batch, ..., classes]; those that do not count left out. */
export const tokenAccuracy: Metric = {
  name: "accuracy",
  better: "higher",
  counted: (labels) => countedExamples(labels, undefined),
  sum: (output, target) => {
    const [batch = 0, ...rest] = output.dims;
    const classes = rest.at(-1) ?? 1;
    const positions = sizeOf(rest.slice(0, -1));
    return rightShares(output, target, { batch, classes, positions, classesLast: true });
  },
};

interface LogitLayout {
  readonly batch: number;
  readonly classes: number;
  /** Labels to an example. */
  readonly positions: number;
  readonly classesLast: boolean;
}

/** How many labels have the largest logit, in examples: divided by the number of labels that an example has. */
function rightShares(
  output: Tensor,
  target: Tensor | undefined,
  { batch, classes, positions, classesLast }: LogitLayout,
): number {
  const logits = output.data as Float32Array;
  const [stride, step] = classesLast ? [classes, 1] : [1, positions];
  let right = 0;
  for (let row = 0; row < batch; row++) {
    for (let position = 0; position < positions; position++) {
      const label = Number(target?.data[row * positions + position]);
      if (label === ignoredLabel) continue;
      const first = row * classes * positions + position * stride;
      let best = 0;
      for (let at = 1; at < classes; at++) {
        if ((logits[first + at * step] as number) > (logits[first + best * step] as number)) best = at;
      }
      if (best === label) right++;
    }
  }
  return right / positions;
}

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

/** Mean |x - y| over the outputs of an example, in the units of the data. */
export const meanAbsoluteError: Metric = {
  name: "meanAbsoluteError",
  better: "lower",
  sum: (output, target) => sumOfErrors(output, target, Math.abs),
  report: (mean, data) => mean * unitOf(data),
};

/** √ of the mean of (x - y)² over examples and outputs, in the units of the data. */
export const rootMeanSquaredError: Metric = {
  name: "rootMeanSquaredError",
  better: "lower",
  sum: (output, target) => sumOfErrors(output, target, square),
  report: (mean, data) => Math.sqrt(mean) * unitOf(data),
};

/** R²: 1 - mean (x - y)² / variance of y, the share of the variance that is explained; 0 where y does not vary. */
export const r2: Metric = {
  name: "r2",
  better: "higher",
  sum: (output, target) => sumOfErrors(output, target, square),
  report(mean, data) {
    const variance = varianceOfTargets(data);
    return variance > 0 ? 1 - mean / variance : 0;
  },
};

const square = (error: number) => error * error;

function sumOfErrors(output: Tensor, target: Tensor | undefined, measure: (error: number) => number): number {
  const values = output.data as Float32Array;
  const perExample = values.length / (output.dims[0] ?? 1);
  let sum = 0;
  values.forEach((value, index) => {
    sum += measure(value - Number(target?.data[index]));
  });
  return sum / perExample;
}

/** One unit of the targets, in units of the data: they may have been scaled when they were read. */
function unitOf({ preprocessing }: Dataset): number {
  return preprocessing?.target?.kind === "number" ? preprocessing.target.deviation : 1;
}

/** Mean over the outputs of the variance of their targets. */
function varianceOfTargets({ count, targets, labels }: Dataset): number {
  const values = targets ?? labels ?? new Float32Array();
  const outputs = values.length / count;
  let sum = 0;
  for (let output = 0; output < outputs; output++) {
    let mean = 0;
    for (let at = output; at < values.length; at += outputs) mean += (values[at] as number) / count;
    for (let at = output; at < values.length; at += outputs)
      sum += square((values[at] as number) - mean) / count / outputs;
  }
  return sum;
}

/** What is measured beside each loss unless the caller says otherwise. */
export function defaultMetrics(loss: LossChoice): readonly Metric[] {
  switch (loss) {
    case "crossEntropy":
      return [accuracy];
    case "tokenCrossEntropy":
      return [tokenAccuracy];
    case "binaryCrossEntropy":
      return [binaryAccuracy];
    case "meanSquaredError":
      return [rootMeanSquaredError, r2];
    default:
      return [];
  }
}
