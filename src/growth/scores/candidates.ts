import type { Score } from "../score.ts";
import { candidates, defaultCandidates, promises } from "../strategies/candidates.ts";

/** What the best of N random directions promise: ½‖dL/dΩ‖² / E[h²] of each, through the true activation. */
export const candidatesScore: Score = {
  name: "candidates",
  summary: `what the best of ${defaultCandidates} random directions promise`,
  source: candidates.source,
  ...(candidates.refuses === undefined ? {} : { refuses: candidates.refuses }),
  async gains(probe, { units, seed }) {
    const promise = await promises(probe, Math.max(defaultCandidates, units), seed);
    return Array.from(promise.sort()).reverse().slice(0, units);
  },
};
