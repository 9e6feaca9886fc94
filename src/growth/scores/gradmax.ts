import { eigenFlops, eigenpairs, rankOf, timesTransposed } from "../matrix.ts";
import type { Score } from "../score.ts";
import { gradmax } from "../strategies/gradmax.ts";
import { refusesPartial } from "../strategy.ts";

/** σ² of E[g xᵀ]: the squared gradient of units with outgoing weights of length 1, the slope at 0 taken from the right. */
export const gradmaxScore: Score = {
  name: "gradmax",
  summary: "the largest squared gradients that units with zero incoming weights could have",
  source: gradmax.source,
  refuses: refusesPartial,
  async gains(probe, { units }) {
    const pull = await probe.pull();
    const pairs = eigenpairs(timesTransposed(pull, pull));
    probe.charge(2 * pull.rows ** 2 * pull.columns + eigenFlops(pull.rows));
    return pairs.slice(0, Math.min(units, rankOf(pairs))).map(({ value }) => value);
  },
};
