import { EspalierError } from "../../tensor/errors.ts";
import { type Eigenpair, rankOf } from "../plan/matrix.ts";
import type { Width } from "../plan/width.ts";

/** The first `by` of a gradient's directions, best first. Throws `ARGUMENT` if it has fewer. */
export function directionsOf(
  width: Width,
  pairs: readonly Eigenpair[],
  by: number,
  strategy: string,
): readonly Eigenpair[] {
  const rank = rankOf(pairs);
  if (by <= rank) return pairs.slice(0, by);
  throw new EspalierError("ARGUMENT", {
    thing: `widening ${width.id} by ${strategy}`,
    rule: `makes at most as many units as the gradient has directions on this data: ${rank}`,
    received: by,
    remedy:
      rank === 0 ? "Check the data: there is no gradient." : `Widen by ${rank} at most, or use candidates.`,
  });
}
