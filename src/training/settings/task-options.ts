import type { OptionNames } from "../../tensor/known-options.ts";
import type { LossChoice } from "../losses/index.ts";
import type { BatchAxis } from "./batch-axes.ts";

/** Numbers of named sizes, such as { height: 32, width: 32 }. */
export type Sizes = Readonly<Record<string, number>>;

/** What a model is trained for: its output, its loss, and the meaning of its axes. */
export interface TaskOptions {
  /** Default "crossEntropy". */
  readonly loss?: LossChoice;
  /**
   * The value of the model that is trained, evaluated and predicted. Default: its first float32 output. A loss of logits
   * uses the value before a final softmax or sigmoid.
   */
  readonly output?: string;
  /** For losses of classes: the weight of a label of each class, by number, like PyTorch's `weight=`. Default 1. */
  readonly classWeights?: readonly number[];
  /**
   * The axis of the examples: the name of its size ("frames"), or its number for an input ({ x: 1 }). Default:
   * one that is called batch, N or the like, else the one whose size is the output's first, else axis 0.
   */
  readonly batchAxis?: BatchAxis;
  /**
   * Numbers of the named sizes of an example: { height: 32, width: 32 }. A gradient may need them. The saved model keeps
   * their names. Default: the numbers of the data if there are data, else open.
   */
  readonly sizes?: Sizes;
}

/** Their names, for callers in JavaScript. */
export const taskNames: OptionNames<TaskOptions> = {
  loss: true,
  output: true,
  classWeights: true,
  batchAxis: true,
  sizes: true,
};

/** The same with its default filled in. */
export interface TaskSettings extends TaskOptions {
  readonly loss: LossChoice;
}

/** The task in options of any kind. */
export function taskOf({
  loss = "crossEntropy",
  output,
  classWeights,
  batchAxis,
  sizes,
}: TaskOptions): TaskSettings {
  return {
    loss,
    ...(output === undefined ? {} : { output }),
    ...(classWeights === undefined ? {} : { classWeights }),
    ...(batchAxis === undefined ? {} : { batchAxis }),
    ...(sizes === undefined ? {} : { sizes }),
  };
}
