import type { GrowthPlan } from "../../growth/plan/plan.ts";
import type { Exactness, ShrinkPlan } from "../../growth/shrink/shrink-plan.ts";
import type { ControllerDecision } from "../policy/state.ts";

/** The effect of a change of one width's size, measured on one batch before and after. */
export interface SizeChange {
  readonly width: string;
  /** Updates done when it happened. */
  readonly step: number;
  /** Units. */
  readonly size: { readonly before: number; readonly after: number };
  readonly loss: { readonly before: number; readonly after: number };
  readonly output: {
    /** Largest |after - before| of any output entry. */
    readonly maxDifference: number;
    /** Rounding bound at the entry that comes closest to its bound. */
    readonly roundingBound: number;
    /** Whether every entry is within its rounding bound, or, if that proves nothing, 1e-4 of its channel or example, or the network's noise. */
    readonly preserved: boolean;
    /** Whether every bit is the same. */
    readonly identical: boolean;
  };
  /** Trained parameters, in entries. */
  readonly parameters: { readonly before: number; readonly after: number };
  /** What one more example adds to a training step, forward and backward. */
  readonly flopsPerExample: { readonly before: number; readonly after: number };
  /** FLOPs of measuring, and of choosing the new values if a strategy used data. */
  readonly flops: number;
  readonly pauseMs: number;
}

/** The cost of using data. */
export interface ChoosingCost {
  readonly examples: number;
  readonly flops: number;
  readonly seconds: number;
}

/** The record of a growth. */
export interface GrowthRecord extends SizeChange {
  readonly strategy: string;
  /** The new units, in order. `gradientNorm` is over all weights of a unit. */
  readonly newUnits: readonly {
    readonly unit: number;
    readonly gradientNorm: number;
    readonly dead: boolean;
  }[];
  /** Groups of units, with a new one among them, whose incoming weights and bias are equal. */
  readonly identicalUnits: readonly (readonly number[])[];
  /** The cost of choosing the new values from data, if the strategy did; part of the pause. */
  readonly choosing?: ChoosingCost;
  readonly plan: GrowthPlan;
}

/** The record of a shrink. */
export interface ShrinkRecord extends SizeChange {
  /** The units asked for, such as "dead" or "least 4 by taylor". */
  readonly choice: string;
  /** What is known of the function without them; `output` says how far it moved on the batch. */
  readonly exactness: Exactness;
  /** Units that were considered and stay. */
  readonly left: readonly { readonly unit: number; readonly reason: string }[];
  /** The cost of the gradients that units were chosen by, if they were; part of the pause. */
  readonly choosing?: ChoosingCost;
  /** Growths of the run that came before it. */
  readonly growths: number;
  readonly plan: ShrinkPlan;
}

/** What ended a run. "budget": that of its growth policy. */
export type StoppedBy = "steps" | "early stopping" | "signal" | "budget";

/** The result of `fit`. */
export interface FitResult {
  /** Updates done by this call, and by the trainer altogether. */
  readonly steps: number;
  readonly step: number;
  readonly epoch: number;
  /** Loss of the last batch, before its update. */
  readonly loss: number;
  readonly stoppedBy: StoppedBy;
  /** The best validation score and its step, if there was early stopping. */
  readonly best?: { readonly step: number; readonly score: number };
  /** The growth controller's decisions in this call. */
  readonly decisions: readonly ControllerDecision[];
  readonly seconds: number;
  readonly examplesPerSecond: number;
}

/** What callbacks see after each step. */
export interface StepInfo {
  /** Updates done, this one included. */
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  readonly learningRate: number;
  readonly batchSize: number;
  /** FLOPs of the run so far. */
  readonly flops: number;
}
