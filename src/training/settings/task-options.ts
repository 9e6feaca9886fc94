import type { OptionNames } from "../../tensor/known-options.ts";
import { defaultLoss, type LossChoice } from "../losses/index.ts";
import type { BatchAxis } from "./batch-axes.ts";

/** Numbers of named sizes, such as { height: 32, width: 32 }. */
export type Sizes = Readonly<Record<string, number>>;

/** One of several losses that are trained at once; their weighted sum is minimized. */
export interface LossTerm {
  /** The value of the model that the loss is taken of. Needed unless the model computes the loss itself. */
  readonly output?: string;
  /** Default "crossEntropy". One that the model computes itself takes no target. */
  readonly loss?: LossChoice;
  /**
   * The name of its target in the data (`Dataset.namedTargets`). Default: the one that is called like the output, else the
   * labels or targets of the data.
   */
  readonly target?: string;
  /** The factor of the loss in the sum, at least 0. Default 1. */
  readonly weight?: number;
  /** For losses of classes: the weight of a label of each class, by number. Default 1. */
  readonly classWeights?: readonly number[];
  /** Names the term in evaluations and reports. Default: its output. */
  readonly name?: string;
}

/** What a model is trained for: its output, its loss (or several), and the meaning of its axes. */
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
   * Several losses, of several outputs or of one, whose weighted sum is trained and evaluated. Excludes `loss`, `output` and
   * `classWeights`, which each of them has itself.
   */
  readonly losses?: readonly LossTerm[];
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
  losses: true,
  batchAxis: true,
  sizes: true,
};

/** The task in options of any kind; the loss is filled in unless there are several. */
export function taskOf({ loss, output, classWeights, losses, batchAxis, sizes }: TaskOptions): TaskOptions {
  return {
    ...(loss !== undefined || losses === undefined ? { loss: loss ?? defaultLoss } : {}),
    ...(output === undefined ? {} : { output }),
    ...(classWeights === undefined ? {} : { classWeights }),
    ...(losses === undefined ? {} : { losses }),
    ...(batchAxis === undefined ? {} : { batchAxis }),
    ...(sizes === undefined ? {} : { sizes }),
  };
}
