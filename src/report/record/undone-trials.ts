import type { ControllerDecision } from "../../training/policy/state.ts";

/** Trials of growth that were undone: how many, and the FLOPs from their growth to their undoing, which stay spent. */
export function undoneTrials(decisions: readonly ControllerDecision[] = []): {
  readonly count: number;
  readonly flops: number;
} {
  let count = 0;
  let flops = 0;
  let begun = 0;
  for (const decision of decisions) {
    if (decision.action === "grow") begun = decision.flops;
    if (decision.action !== "undo") continue;
    count++;
    flops += decision.flops - begun;
  }
  return { count, flops };
}
