import type { OptionNames } from "../../tensor/known-options.ts";
import type { LossChoice } from "../losses/index.ts";
import type { BatchAxis } from "./batch-axes.ts";

/** Numbers of named sizes, such as { height: 32, width: 32 }. */
export type Sizes = Readonly<Record<string, number>>;

/** What a model is trained for: what of it, by which loss, and what its axes stand for. */
export interface TaskOptions {
  /** Default "crossEntropy". */
  readonly loss?: LossChoice;
  /**
   * The value of the model that is trained, evaluated and predicted. Default: its first float32 output. A loss of logits
   * is taken of what stands before a softmax or sigmoid at its end.
   */
  readonly output?: string;
  /** For losses of classes: what a label of each class counts for, by number, as PyTorch's `weight=`. Default 1. */
  readonly classWeights?: readonly number[];
  /**
   * The axis of the examples: the name of its size ("frames"), or its number for an input ({ x: 1 }). Default:
   * one that is called batch, N or the like, else the one that the output counts first, else axis 0.
   */
  readonly batchAxis?: BatchAxis;
  /**
   * Numbers of the named sizes of an example: { height: 32, width: 32 }. A gradient may need them. The model that is written
   * keeps its names. Default: as the data have them where data are at hand, else open.
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

/** What options of any kind say of the task. */
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
