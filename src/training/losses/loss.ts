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
 * How a loss is made from the model's output and the targets. One that is not in the table of losses may be given to a
 * trainer all the same; `Trainer.resume` then needs it again.
 */
export interface Loss {
  readonly name: string;
  /** Everything needed to make it again. */
  readonly options: PlainOptions;
  /** What the output says: which of several classes it is, on which side of zero each number is, or the numbers themselves. */
  readonly predicts: "class" | "side" | "number";
  /** The dtype of the targets: integer labels, or floats of the output's shape. */
  readonly target: DType;
  /**
   * Writes the mean loss over the batch, a scalar, and returns its name. Losses of classes weigh each label by its
   * class, and divide by the sum of the weights.
   */
  readonly emit: (graph: GraphBuilder, output: string, target: string, weights?: ClassWeights) => string;
  /** How much of what the mean is over the targets of a batch hold, in examples; all of them if absent. */
  readonly counted?: (target: Tensor, weights: ClassWeights) => number;
  /** For losses of logits: the functions that they compute themselves, and that an output must not have computed before. */
  readonly inverts?: Inverts;
  /** Shape of the targets, from the shape of the output. */
  readonly targetShape: (output: Shape) => Shape;
  /** Number of classes, which labels must be below, from the shape of the output. */
  readonly classes: (output: Shape) => Dim | undefined;
  /** For losses of numbers: in units of the targets multiplied by c, it is c to this power. Absent if it is no power. */
  readonly power?: number;
  /** What is measured besides it unless the caller says otherwise. */
  readonly metrics: readonly Metric[];
}

/** Which functions a loss of logits takes back. */
export interface Inverts {
  readonly links: readonly Link["name"][];
  /** What it computes, in words. */
  readonly says: string;
  /** The axis of the classes, counted from the front, of an output of so many axes; absent if each element is by itself. */
  readonly axis?: (rank: number) => number;
  /** Whether any probabilities have logits that it can take: each one by itself. */
  readonly probabilities?: boolean;
}

/** A function from options to a loss, which also says what the options may be. */
export interface LossMaker<Rules extends OptionRules = OptionRules> {
  (options?: Partial<OptionsOf<Rules>>): Loss;
  readonly options: Rules;
}

/** Describes a loss. The function that comes out throws `ARGUMENT` for options that it does not have. */
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
