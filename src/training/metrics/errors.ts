import type { Dataset } from "../../data/dataset.ts";
import { notFor } from "./labels.ts";
import type { ScoredBatch } from "./metric.ts";

/** The sum of `measure` over the errors of a batch, and their number. Throws `ARGUMENT` for outputs that are classes. */
export function sumOfErrors(
  { output, target, predicts }: ScoredBatch,
  measure: (error: number) => number,
): readonly number[] {
  if (predicts === "class" || predicts === "side") throw notFor("numbers", "a loss of classes");
  const values = output.data as Float32Array;
  let sum = 0;
  for (let at = 0; at < values.length; at++)
    sum += measure((values[at] as number) - Number(target?.data[at]));
  return [sum, values.length];
}

export const square = (error: number) => error * error;

/** One unit of the targets, in units of the data: they may have been scaled when they were read. */
export function unitOf({ preprocessing }: Dataset): number {
  return preprocessing?.target?.kind === "number" ? preprocessing.target.deviation : 1;
}

/** Mean over the outputs of the variance of their targets. */
export function varianceOfTargets({ count, targets, labels }: Dataset): number {
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
