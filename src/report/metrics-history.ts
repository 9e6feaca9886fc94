import { EspalierError } from "../tensor/errors.ts";
import type { RunDiagnosis, RunPoint } from "./run-record.ts";

/** A diagnosis of an arm as one line of `metrics.jsonl`, without the line feed. */
export function diagnosisLine(arm: string, { step, widths }: RunDiagnosis): string {
  return JSON.stringify({ kind: "diagnosis", arm, step, widths });
}

/** What `metrics.jsonl` says of a run up to a step. */
export interface MetricsHistory {
  readonly points: readonly RunPoint[];
  readonly diagnoses: readonly RunDiagnosis[];
  /** The file's text up to that step, to go on appending to. */
  readonly text: string;
}

/**
 * Reads back the lines of `metrics.jsonl` (one arm) up to `step`. A last line that a crash cut off is dropped. Throws
 * `FORMAT` with the line for any other that is not a record.
 */
export function readMetrics(text: string, step: number, name: string): MetricsHistory {
  const points: RunPoint[] = [];
  const diagnoses: RunDiagnosis[] = [];
  const kept: string[] = [];
  const lines = text.split("\n");
  // What stands after the last line feed is empty, or was being written when the power went.
  lines.pop();
  lines.forEach((line, index) => {
    const record = parse(line, index, name);
    if (record.step > step) return;
    kept.push(line);
    const { kind, arm: _, ...rest } = record;
    if (kind === "point") points.push({ ...rest, trainLoss: rest.trainLoss ?? Number.NaN } as RunPoint);
    if (kind === "diagnosis") diagnoses.push(rest as unknown as RunDiagnosis);
  });
  return { points, diagnoses, text: kept.map((line) => `${line}\n`).join("") };
}

interface Line {
  readonly kind: "point" | "growth" | "diagnosis";
  readonly step: number;
  readonly [key: string]: unknown;
}

function parse(line: string, index: number, name: string): Line {
  try {
    const record = JSON.parse(line) as Line;
    if (["point", "growth", "diagnosis"].includes(record.kind) && Number.isSafeInteger(record.step))
      return record;
  } catch {
    // The same error as for JSON of another kind.
  }
  throw new EspalierError("FORMAT", {
    thing: `${name}, line ${index + 1}`,
    rule: "must be a point, a growth or a diagnosis as espalier writes them",
    received: line.slice(0, 80),
    remedy: "Restore the file, or start a new run.",
  });
}
