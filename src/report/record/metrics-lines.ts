import type { GrowthRecord } from "../../training/history/record.ts";
import type { ControllerDecision } from "../../training/policy/state.ts";
import type { RunPoint } from "./run-record.ts";

/** An arm's point as one line of `metrics.jsonl`, without the line feed. NaN and infinities are null. */
export function pointLine(arm: string, point: RunPoint): string {
  const { step, flops, seconds, trainLoss, test, validation, widths } = point;
  return JSON.stringify({ kind: "point", arm, step, flops, seconds, trainLoss, test, validation, widths });
}

/** An arm's growth, including its plan, as one line of `metrics.jsonl`, without the line feed. */
export function growthLine(arm: string, growth: GrowthRecord): string {
  const { step, width, ...rest } = growth;
  return JSON.stringify({ kind: "growth", arm, step, width, ...rest });
}

/** A decision by an arm's growth controller as one line of `metrics.jsonl`, without the line feed. */
export function decisionLine(arm: string, decision: ControllerDecision): string {
  const { step, action, ...rest } = decision;
  return JSON.stringify({ kind: "decision", arm, step, action, ...rest });
}
