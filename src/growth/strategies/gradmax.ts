import { encodeSide } from "../plan/choice.ts";
import { fillOne, keepZero } from "../plan/fills.ts";
import {
  type Eigenpair,
  eigenFlops,
  eigenpairs,
  type Matrix,
  matrix,
  timesTransposed,
} from "../plan/matrix.ts";
import { outgoingParts, type WidthProbe } from "../plan/probe.ts";
import { refusesPartial, type Strategy } from "../plan/strategy.ts";
import { directionsOf } from "./directions.ts";

/** The outgoing directions in which units with zero incoming weights have a gradient: values are its squared norms. */
export async function pulledDirections(
  probe: WidthProbe,
): Promise<{ readonly pull: Matrix; readonly pairs: readonly Eigenpair[] }> {
  const pull = await probe.pull();
  const pairs = eigenpairs(timesTransposed(pull, pull));
  probe.charge(2 * pull.rows ** 2 * pull.columns + eigenFlops(pull.rows));
  return { pull, pairs };
}

/**
 * Zero incoming weights, and the outgoing ones that give them the largest gradient: with N = E[g xᵀ], that of a unit is
 * ωᵀN, largest for the top eigenvectors of N·Nᵀ. Each gets the mean norm of the old units' outgoing weights.
 */
export const gradmax: Strategy = {
  name: "gradmax",
  summary: "zero incoming weights, and the outgoing ones with the largest gradient (top singular vectors)",
  source: "Evci et al., GradMax: growing neural networks using gradient information, ICLR 2022, section 3",
  preserves: true,
  refuses: (width) => refusesPartial(width) ?? (width.zeroIncoming() || undefined),
  async choose(probe, { by }) {
    const { pull, pairs } = await pulledDirections(probe);
    const chosen = directionsOf(probe.width, pairs, by, "gradmax");
    const norm = probe.outgoingNorm || 1;
    const outgoing = matrix(by, pull.rows);
    chosen.forEach(({ vector }, unit) => {
      outgoing.data.set(
        vector.map((entry) => norm * entry),
        unit * pull.rows,
      );
    });
    return { values: encodeSide(outgoingParts(probe.width), probe.entries, outgoing) };
  },
  incoming: keepZero,
  outgoing: keepZero,
  shift: keepZero,
  scale: fillOne,
};
