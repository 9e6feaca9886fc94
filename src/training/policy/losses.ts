import { defaultSmoothing, type GrowthPolicy, type RuledPolicy } from "./policy.ts";

/** Mean of the last `count` values, or of all if there are fewer; undefined if there is none. */
export function meanOfLast(values: readonly number[], count: number): number | undefined {
  const last = values.slice(-count);
  return last.length === 0 ? undefined : last.reduce((sum, value) => sum + value, 0) / last.length;
}

/** The share by which `after` is below `before`; 0 if `before` is 0 and nothing can fall. */
export function decrease(before: number, after: number): number {
  return before === 0 ? 0 : (before - after) / Math.abs(before);
}

/** The smoothed training loss: over the policy's window, or a trial if that is shorter. */
export function smoothed(policy: RuledPolicy, losses: readonly number[]): number | undefined {
  const { smoothing = defaultSmoothing, trial } = policy;
  return meanOfLast(losses, Math.min(smoothing, trial?.steps ?? smoothing));
}

/** How many past losses the rules of a policy need. */
export function memoryOf(policy: GrowthPolicy): number {
  if ("events" in policy) return 0;
  const { when, smoothing = defaultSmoothing } = policy;
  const windows = "plateau" in when ? when.plateau.window * ((when.plateau.patience ?? 1) + 1) : 0;
  return Math.max(smoothing, windows);
}
