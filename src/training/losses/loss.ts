import type { GraphBuilder } from "../../graph/builder.ts";
import type { Dim, Shape } from "../../graph/dim.ts";
import { int } from "../../graph/model.ts";
import type { Link } from "../../ops/rules/operator.ts";
import type { DType } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ClassWeights } from "../metrics/counted.ts";
import type { Metric } from "../metrics/metric.ts";
import {
  type OptionRules,
  type OptionsOf,
  type PlainOptions,
  withDefaults,
} from "../options/option-rules.ts";

/**
 * How a loss is computed from the model's output and the targets. A loss that is not in the table may be given to a
 * trainer too; `Trainer.resume` then needs it again.
 */
export interface Loss {
  readonly name: string;
  /** Everything needed to make it again. */
  readonly options: PlainOptions;
  /** What the output predicts: one of several classes, the side of zero of each number, or the numbers themselves. */
  readonly predicts: "class" | "side" | "number";
  /** The dtype of the targets: integer labels, or floats of the output's shape. */
  readonly target: DType;
  /**
   * Writes the mean loss over the batch, a scalar, and returns its name. Losses of classes weigh each label by its
   * class, and divide by the sum of the weights.
   */
  readonly emit: (graph: GraphBuilder, output: string, target: string, weights?: ClassWeights) => string;
  /** The weight of a batch's targets in a mean over batches, in examples; all of them count if absent. */
  readonly counted?: (target: Tensor, weights: ClassWeights) => number;
  /** For losses of logits: the functions that they compute themselves, and that an output must not have computed before. */
  readonly inverts?: Inverts;
  /** Shape of the targets, from the shape of the output. */
  readonly targetShape: (output: Shape) => Shape;
  /** Number of classes, which labels must be below, from the shape of the output. */
  readonly classes: (output: Shape) => Dim | undefined;
  /** For losses of numbers: if targets are multiplied by c, the loss is multiplied by c to this power. Absent if there is no such power. */
  readonly power?: number;
  /** Metrics that are evaluated besides the loss unless the caller says otherwise. */
  readonly metrics: readonly Metric[];
}

/** The functions that a loss of logits inverts. */
export interface Inverts {
  readonly links: readonly Link["name"][];
  /** What it computes, in words. */
  readonly says: string;
  /** The axis of the classes, counted from the front, of an output of `rank` axes; absent if each element is separate. */
  readonly axis?: (rank: number) => number;
  /** Whether it can use the logits of any probabilities, each one separately. */
  readonly probabilities?: boolean;
}

/** A function from options to a loss, which also says what the options may be. */
export interface LossMaker<Rules extends OptionRules = OptionRules> {
  (options?: Partial<OptionsOf<Rules>>): Loss;
  readonly options: Rules;
}

/** Describes a loss. The resulting function throws `ARGUMENT` for options that it does not have. */
export function loss<Rules extends OptionRules>(
  name: string,
  rules: Rules,
  build: (options: OptionsOf<Rules>) => Omit<Loss, "name" | "options">,
): LossMaker<Rules> {
  const make = (given: Partial<OptionsOf<Rules>> = {}): Loss => {
    const options = withDefaults(name, rules, given);
    return { name, options: options as PlainOptions, ...build(options) };
  };
  return Object.assign(make, { options: rules });
}

/** Mean of all elements, as a scalar. */
export function mean(graph: GraphBuilder, value: string): string {
  return graph.emit("ReduceMean", [value], { keepdims: int(0) }, "loss");
}
