import type { Evaluation } from "../compilation/evaluator.ts";
import type { GrowthRecord, StepInfo, StoppedBy } from "../history/record.ts";
import type { ControllerDecision } from "../policy/state.ts";

/** An update has been done. */
export interface StepEvent extends StepInfo {
  readonly kind: "step";
  /** Whether it was the last one. */
  readonly last: boolean;
  /** Whether an evaluation follows before anything else. */
  readonly evaluates: boolean;
  /** Whether a checkpoint is due before the next update. */
  readonly saves: boolean;
}

/** The network has been evaluated. */
export interface EvaluationEvent {
  readonly kind: "evaluation";
  /** Updates done. */
  readonly step: number;
  readonly validation?: Evaluation;
  readonly test?: Evaluation;
  /** Whether the score is the best so far for early stopping. */
  readonly best: boolean;
}

/** A decision about growth has been made, and is about to be carried out. */
export interface DecisionEvent {
  readonly kind: "decision";
  readonly decision: ControllerDecision;
}

/** A decision has been carried out. */
export interface GrownEvent {
  readonly kind: "growth";
  readonly decision: ControllerDecision;
  /** What has grown; empty for a decision that grows nothing, such as to keep or undo one. */
  readonly growths: readonly GrowthRecord[];
}

/** A good moment to save: everything due after the last update has been done. */
export interface CheckpointEvent {
  readonly kind: "checkpoint";
  /** Updates done. */
  readonly step: number;
}

/** The run has ended; nothing follows. */
export interface EndEvent {
  readonly kind: "end";
  /** Updates done altogether. */
  readonly step: number;
  readonly stoppedBy: StoppedBy;
  /** The best validation score and its step, whose weights the network has now, if there was early stopping. */
  readonly best?: { readonly step: number; readonly score: number };
}

/** What happens between the beginning and the end of a run. */
export type LoopEvent = StepEvent | EvaluationEvent | DecisionEvent | GrownEvent | CheckpointEvent;

export type RunEvent = LoopEvent | EndEvent;
