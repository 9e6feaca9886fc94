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
  /** Loss and metrics on the test data, if it was evaluated here. */
  readonly test?: { readonly loss: number; readonly [metric: string]: number };
  /** Loss and metrics on the validation data that early stopping watches. */
  readonly validation?: { readonly loss: number; readonly [metric: string]: number };
  /** Units of every growable width. */
  readonly widths: Readonly<Record<string, number>>;
}

/** The health of the widths at a step. */
export interface RunDiagnosis {
  readonly step: number;
  readonly widths: readonly WidthDiagnosis[];
}

/** One arm of a run: a network and how it went. */
export interface RunArm {
  readonly name: string;
  readonly points: readonly RunPoint[];
  /** Without those that were undone. */
  readonly growths: readonly GrowthRecord[];
  /** Why it grew, and why not elsewhere. */
  readonly decisions?: readonly ControllerDecision[];
  readonly diagnoses: readonly RunDiagnosis[];
  readonly parameters: number;
  readonly final: { readonly loss: number; readonly [metric: string]: number };
}

/** Everything that a report shows; `metrics.jsonl` contains the same, point by point. */
export interface RunRecord {
  readonly title: string;
  /** ISO 8601. */
  readonly date: string;
  /** The configuration, printed as a table. */
  readonly configuration: Readonly<Record<string, string | number | boolean>>;
  /** The metric shown next to the loss, e.g. "accuracy"; absent if there is none. */
  readonly metric?: string;
  readonly arms: readonly RunArm[];
}
