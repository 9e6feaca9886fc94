import type { Dataset } from "../../data/dataset.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type OptionRules, type OptionsOf, withDefaults } from "../options/option-rules.ts";

/** A model's predictions for a batch, and the targets. */
export interface ScoredBatch {
  /** Logits, or the numbers that are predicted: [batch, ...]. */
  readonly output: Tensor;
  /** Absent if the model computes its loss without targets. */
  readonly target: Tensor | undefined;
  /** The axis of the output that counts classes; absent if each number is separate. */
  readonly classAxis?: number;
  /** What the loss says the output is: see `Loss.predicts`. Absent if the model computes its own. */
  readonly predicts?: "class" | "side" | "number";
}

/** A figure over a data set, made of sums over its batches. */
export interface Metric {
  readonly name: string;
  /** Whether larger is better. */
  readonly better: "higher" | "lower";
  /** What a batch adds to the sums that the figure is computed from: the same number of values for each batch. */
  readonly tally: (batch: ScoredBatch) => readonly number[];
  /** The figure, from the sums over all batches of `data`. */
  readonly value: (sums: readonly number[], data: Dataset) => number;
}

/** A function from options to a metric, which also says what the options may be. */
export interface MetricMaker<Rules extends OptionRules = OptionRules> {
  (options?: Partial<OptionsOf<Rules>>): Metric;
  readonly options: Rules;
}

/** Describes a metric. The resulting function throws `ARGUMENT` for options that it does not have. */
export function metric<Rules extends OptionRules>(
  name: string,
  rules: Rules,
  build: (options: OptionsOf<Rules>) => Omit<Metric, "name"> & { readonly name?: string },
): MetricMaker<Rules> {
  const make = (given: Partial<OptionsOf<Rules>> = {}): Metric => ({
    name,
    ...build(withDefaults(name, rules, given)),
  });
  return Object.assign(make, { options: rules });
}

/** Adds up tallies. */
export function addTally(sums: number[], tally: readonly number[]): void {
  tally.forEach((value, at) => {
    sums[at] = (sums[at] ?? 0) + value;
  });
}

/** The quotient of two sums; NaN if nothing counted. */
export const quotient = ([sum = Number.NaN, count = 0]: readonly number[]) => sum / count;
