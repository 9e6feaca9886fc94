import { rankOf } from "../plan/matrix.ts";
import type { Score } from "../plan/score.ts";
import { refusesPartial } from "../plan/strategy.ts";
import { gradmax, pulledDirections } from "../strategies/gradmax.ts";

/** σ² of E[g xᵀ]: the squared gradient of units with outgoing weights of length 1, the slope at 0 taken from the right. */
export const gradmaxScore: Score = {
  name: "gradmax",
  summary: "the largest squared gradients that units with zero incoming weights could have",
  source: gradmax.source,
  refuses: refusesPartial,
  async gains(probe, { units }) {
    const { pairs } = await pulledDirections(probe);
    return pairs.slice(0, Math.min(units, rankOf(pairs))).map(({ value }) => value);
  },
};
