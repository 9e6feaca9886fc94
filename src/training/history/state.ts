import type { Model } from "../../graph/model.ts";
import type { LearnerState } from "../learner/learner.ts";
import type { ControllerState } from "../policy/state.ts";
import type { GrowthRecord, ShrinkRecord } from "./record.ts";

/** FLOPs by what they were spent on. */
export interface Spent {
  /** Forward and backward passes and updates. */
  readonly training: number;
  /** Finding out what new units of a width would bring. */
  readonly scoring: number;
  /** Measuring growths before and after. */
  readonly growing: number;
}

/** A stretch of a run that was taken back, such as a growth that did not pay. */
export interface Rollback {
  /** Updates done when it was taken back. */
  readonly from: number;
  /** Updates done in the state that the run went back to. */
  readonly to: number;
  /** FLOPs of what is taken back, but for those that an earlier rollback of the same stretch tells. Still charged. */
  readonly flops: number;
  /** The growths that were undone, oldest first. */
  readonly growths: readonly GrowthRecord[];
  /** The shrinks that were undone, oldest first. */
  readonly shrinks: readonly ShrinkRecord[];
}

/** Where a run stands, beside its weights. */
export interface Progress {
  /** Updates done. */
  readonly step: number;
  readonly epoch: number;
  /** Examples of the current epoch already seen. */
  readonly offset: number;
  /** FLOPs so far, those of what was rolled back included: the sum of what {@link Progress.spent} tells apart. */
  readonly flops: number;
  readonly spent: Spent;
  readonly growths: readonly GrowthRecord[];
  readonly shrinks: readonly ShrinkRecord[];
  /** What was tried and taken back, oldest first. */
  readonly rollbacks: readonly Rollback[];
  /** Where the growth controller stands, once there has been one. */
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

/** Progress with more FLOPs on its account. */
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

/** Everything that a checkpoint holds. */
export interface TrainerState {
  readonly model: Model;
  readonly learner: LearnerState;
  readonly progress: Progress;
  /** The state that a trial of a growth goes back to where it fails, while one is under way. */
  readonly kept?: TrainerState | undefined;
}
