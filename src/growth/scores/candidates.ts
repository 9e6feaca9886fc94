import type { Score } from "../plan/score.ts";
import { candidates, defaultCandidates, promises } from "../strategies/candidates.ts";

/** The predicted gain of the best of N random directions: ½‖dL/dΩ‖² / E[h²] each, through the true activation. */
export const candidatesScore: Score = {
  name: "candidates",
  summary: `what the best of ${defaultCandidates} random directions promise`,
  source: candidates.source,
  ...(candidates.refuses === undefined ? {} : { refuses: candidates.refuses }),
  async gains(probe, { units, seed }) {
    const count = Math.max(defaultCandidates, units);
    const promised = await promises(probe, { count, least: 1, seed });
    return promised.slice(0, units).map(({ gain }) => gain);
  },
};
