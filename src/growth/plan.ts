import { EspalierError } from "../tensor/errors.ts";
import type { Strategy } from "./strategy.ts";
import type { Width, WidthPart } from "./width.ts";

/** What a growth does, as plain JSON: it can be printed, stored and replayed. */
export interface GrowthPlan {
  readonly width: string;
  /** Units before and after. */
  readonly from: number;
  readonly to: number;
  readonly strategy: string;
  readonly seed: number;
  /** Which axis of which parameter grows, where its new slices go (layout) and what they are filled with (role). */
  readonly edits: readonly WidthPart[];
}

export interface GrowthRequest {
  /** Units to add. */
  readonly by: number;
  readonly strategy: Strategy;
  readonly seed: number;
}

/** Plans to widen `width`. Throws `ARGUMENT` or `NOT_GROWABLE`, and changes nothing. */
export function planGrowth(width: Width, { by, strategy, seed }: GrowthRequest): GrowthPlan {
  if (!Number.isSafeInteger(by) || by < 1) {
    throw new EspalierError("ARGUMENT", {
      thing: `widening ${width.id}`,
      rule: "`by` must be a positive whole number of units",
      received: by,
      remedy: "Say how many units to add, e.g. { by: 16 }.",
    });
  }
  if (!width.growable) {
    throw new EspalierError("NOT_GROWABLE", {
      thing: `width "${width.id}"`,
      rule: `cannot be widened exactly: ${width.reason}`,
      received: { by },
      remedy: "Widen another layer.",
    });
  }
  return {
    width: width.id,
    from: width.size,
    to: width.size + by,
    strategy: strategy.name,
    seed,
    edits: width.parts,
  };
}
