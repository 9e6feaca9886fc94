import { rankOf } from "../plan/matrix.ts";
import type { Score } from "../plan/score.ts";
import { expansionOf, refusesSeveral, tiny } from "../strategies/tiny.ts";

/** σ² of S^(-½)·E[x Vᵀ]: the first-order gain of each direction that the old units cannot follow. */
export const tinyScore: Score = {
  name: "tiny",
  summary: "what new units could do that old ones cannot, per unit of input (first-order gain)",
  source: tiny.source,
  refuses: refusesSeveral,
  async gains(probe, { units }) {
    const { pairs } = await expansionOf(probe);
    return pairs.slice(0, Math.min(units, rankOf(pairs))).map(({ value }) => value);
  },
};
