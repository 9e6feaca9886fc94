import type { Model } from "../../graph/model.ts";
import type { LearnerState } from "../learner/learner.ts";
import type { ControllerState } from "../policy/state.ts";
import type { GrowthRecord, ShrinkRecord } from "./record.ts";

/** FLOPs by what they were spent on. */
export interface Spent {
  /** Forward and backward passes and updates. */
  readonly training: number;
  /** Predicting how much new units of a width would lower the loss. */
  readonly scoring: number;
  /** Measurements before and after growths. */
  readonly growing: number;
}

/** A stretch of a run that was undone, such as a growth that did not pay off. */
export interface Rollback {
  /** Updates done when it was undone. */
  readonly from: number;
  /** Updates done in the state that the run returned to. */
  readonly to: number;
  /** FLOPs of what is undone, except those that an earlier rollback of the same stretch reports. Still charged. */
  readonly flops: number;
  /** The growths that were undone, oldest first. */
  readonly growths: readonly GrowthRecord[];
  /** The shrinks that were undone, oldest first. */
  readonly shrinks: readonly ShrinkRecord[];
}

/** The state of a run apart from its weights. */
export interface Progress {
  /** Updates done. */
  readonly step: number;
  readonly epoch: number;
  /** Examples of the current epoch already seen. */
  readonly offset: number;
  /** FLOPs so far, including those of what was rolled back: the sum of the items of {@link Progress.spent}. */
  readonly flops: number;
  readonly spent: Spent;
  readonly growths: readonly GrowthRecord[];
  readonly shrinks: readonly ShrinkRecord[];
  /** What was tried and undone, oldest first. */
  readonly rollbacks: readonly Rollback[];
  /** The state of the growth controller, once there has been one. */
  readonly controller?: ControllerState;
}

/** Progress before the first update. */
export const noProgress: Progress = {
  step: 0,
  epoch: 0,
  offset: 0,
  flops: 0,
  spent: { training: 0, scoring: 0, growing: 0 },
  growths: [],
  shrinks: [],
  rollbacks: [],
};

/** Progress charged with more FLOPs. */
export function charged(progress: Progress, what: keyof Spent, flops: number): Progress {
  const { spent } = progress;
  return { ...progress, flops: progress.flops + flops, spent: { ...spent, [what]: spent[what] + flops } };
}

/** Progress after one more update, on `size` of the `count` examples of an epoch. */
export function updated(progress: Progress, size: number, count: number): Progress {
  const offset = progress.offset + size;
  const over = offset >= count;
  return {
    ...progress,
    step: progress.step + 1,
    epoch: progress.epoch + Number(over),
    offset: over ? 0 : offset,
  };
}

/** Everything that a checkpoint stores. */
export interface TrainerState {
  readonly model: Model;
  readonly learner: LearnerState;
  readonly progress: Progress;
  /** The state to which the current trial of a growth, if any, returns if it fails. */
  readonly kept?: TrainerState | undefined;
}
