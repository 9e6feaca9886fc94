import type { Model } from "../graph/model.ts";
import type { LearnerState } from "./learner.ts";
import type { GrowthRecord, ShrinkRecord } from "./record.ts";
import type { Rollback } from "./rollback.ts";

/** Where a run stands, beside its weights. */
export interface Progress {
  /** Updates done. */
  readonly step: number;
  readonly epoch: number;
  /** Examples of the current epoch already seen. */
  readonly offset: number;
  /** FLOPs of all training steps so far, those that were rolled back included. */
  readonly flops: number;
  readonly growths: readonly GrowthRecord[];
  readonly shrinks: readonly ShrinkRecord[];
  /** What was tried and taken back, oldest first. */
  readonly rollbacks: readonly Rollback[];
}

/** Progress before the first update. */
export const noProgress: Progress = {
  step: 0,
  epoch: 0,
  offset: 0,
  flops: 0,
  growths: [],
  shrinks: [],
  rollbacks: [],
};

/** Everything that a checkpoint holds. */
export interface TrainerState {
  readonly model: Model;
  readonly learner: LearnerState;
  readonly progress: Progress;
}
