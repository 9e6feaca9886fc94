import { EspalierError } from "../../tensor/errors.ts";
import type { RunDiagnosis, RunPoint } from "./run-record.ts";

/** An arm's diagnosis as one line of `metrics.jsonl`, without the line feed. */
export function diagnosisLine(arm: string, { step, widths }: RunDiagnosis): string {
  return JSON.stringify({ kind: "diagnosis", arm, step, widths });
}

/** What `metrics.jsonl` says about a run up to a given moment. */
export interface MetricsHistory {
  /** Without the points of stretches that were undone. */
  readonly points: readonly RunPoint[];
  readonly diagnoses: readonly RunDiagnosis[];
  /** All points in chronological order, including those that were undone. */
  readonly scores: readonly RunPoint[];
  /** The file's text up to that step, to append to. */
  readonly text: string;
}

/** A moment of a run that may have rolled back: after a number of undone growths, and then a number of updates. */
export interface Moment {
  readonly step: number;
  readonly undone: number;
}

/**
 * Reads back the lines of `metrics.jsonl` (one arm) up to a moment. A last line that a crash cut off is dropped. Throws
 * `FORMAT` with the line number for any other line that is not a record.
 */
export function readMetrics(text: string, moment: Moment, name: string): MetricsHistory {
  let points: RunPoint[] = [];
  let diagnoses: RunDiagnosis[] = [];
  let undone = 0;
  const scores: RunPoint[] = [];
  const kept: string[] = [];
  const lines = text.split("\n");
  // The text after the last line feed is empty, or was being written at the crash.
  lines.pop();
  lines.forEach((line, index) => {
    const record = parse(line, index, name);
    const undo = record.kind === "decision" && record.action === "undo";
    // A stretch that ends in a growth undone by then belongs to the past, no matter how far it ran.
    if (undone > moment.undone || (undone === moment.undone && (undo || record.step > moment.step))) {
      if (undo) undone++;
      return;
    }
    kept.push(line);
    if (undo) {
      undone++;
      const back = record.backTo as number;
      points = points.filter((point) => point.step <= back);
      diagnoses = diagnoses.filter((diagnosis) => diagnosis.step <= back);
    }
    const { kind, arm: _, ...rest } = record;
    if (kind === "point") {
      const point = { ...rest, trainLoss: rest.trainLoss ?? Number.NaN } as RunPoint;
      points.push(point);
      scores.push(point);
    }
    if (kind === "diagnosis") diagnoses.push(rest as unknown as RunDiagnosis);
  });
  return { points, diagnoses, scores, text: kept.map((line) => `${line}\n`).join("") };
}

const kinds = ["point", "growth", "diagnosis", "decision"] as const;

interface Line {
  readonly kind: (typeof kinds)[number];
  readonly step: number;
  readonly [key: string]: unknown;
}

function parse(line: string, index: number, name: string): Line {
  try {
    const record = JSON.parse(line) as Line;
    if (kinds.includes(record.kind) && Number.isSafeInteger(record.step)) return record;
  } catch {
    // The same error as for other JSON.
  }
  throw new EspalierError("FORMAT", {
    thing: `${name}, line ${index + 1}`,
    rule: "must be a point, a growth, a diagnosis or a decision as espalier writes them",
    received: line.slice(0, 80),
    remedy: "Restore the file, or start a new run.",
  });
}
