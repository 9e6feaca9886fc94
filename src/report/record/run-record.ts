import type { WidthDiagnosis } from "../../growth/examine/diagnose.ts";
import type { GrowthRecord } from "../../training/history/record.ts";
import type { ControllerDecision } from "../../training/policy/state.ts";

/** One measured point of a run. */
export interface RunPoint {
  /** Updates done. */
  readonly step: number;
  /** FLOPs of the run so far: training, scoring and growing. */
  readonly flops: number;
  /** Seconds of training so far, evaluation not counted. */
  readonly seconds: number;
  /** Mean loss of the training batches since the last point. */
  readonly trainLoss: number;
  /** Loss and metrics on the test data, where it was evaluated here. */
  readonly test?: { readonly loss: number; readonly [metric: string]: number };
  /** The same on the validation data that early stopping watches. */
  readonly validation?: { readonly loss: number; readonly [metric: string]: number };
  /** Units of every width that can grow. */
  readonly widths: Readonly<Record<string, number>>;
}

/** The health of the widths at one step. */
export interface RunDiagnosis {
  readonly step: number;
  readonly widths: readonly WidthDiagnosis[];
}

/** One arm of a run: a network and how it went. */
export interface RunArm {
  readonly name: string;
  readonly points: readonly RunPoint[];
  /** Those that were undone left out. */
  readonly growths: readonly GrowthRecord[];
  /** Why it grew, and where not. */
  readonly decisions?: readonly ControllerDecision[];
  readonly diagnoses: readonly RunDiagnosis[];
  readonly parameters: number;
  readonly final: { readonly loss: number; readonly [metric: string]: number };
}

/** Everything that a report shows; what `metrics.jsonl` says point by point. */
export interface RunRecord {
  readonly title: string;
  /** ISO 8601. */
  readonly date: string;
  /** What was asked for, printed as a table. */
  readonly configuration: Readonly<Record<string, string | number | boolean>>;
  /** The metric shown beside the loss, e.g. "accuracy"; absent where there is none. */
  readonly metric?: string;
  readonly arms: readonly RunArm[];
}
