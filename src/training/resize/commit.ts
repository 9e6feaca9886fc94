import type { OutputDifference } from "../../growth/examine/compare.ts";
import { isPreserved } from "../../growth/examine/compare.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { SizeChange } from "../history/record.ts";
import type { Resized } from "./size-change.ts";

/** A change of size before it is kept: what was measured on both sides of it. */
export interface Outcome {
  readonly width: string;
  /** "grown" or "shrunk", in words. */
  readonly verb: string;
  /** Whether outputs must stay the same within their rounding bounds; else they need only be finite. */
  readonly exact: boolean;
  readonly loss: SizeChange["loss"];
  readonly difference: OutputDifference;
}

/**
 * Keeps a change of size, or takes it back wholly and throws `NOT_PRESERVED`: if the loss or an output was finite and is
 * not any more, or if an exact change moved an output by more than rounding.
 */
export async function commit(resized: Pick<Resized, "keep" | "undo">, outcome: Outcome): Promise<void> {
  const fault = faultOf(outcome);
  if (fault === undefined) return resized.keep();
  await resized.undo();
  const { width, verb, loss, difference } = outcome;
  throw new EspalierError("NOT_PRESERVED", {
    thing: `width "${width}"`,
    rule: `was ${verb} and ${fault}; the change was taken back`,
    received: { loss, largestDifference: difference.maximum, roundingBound: difference.bound },
    remedy: "Choose another strategy or other units; the network is unchanged.",
  });
}

function faultOf({ exact, loss, difference }: Outcome): string | undefined {
  if (Number.isFinite(loss.before) && !Number.isFinite(loss.after)) return "its loss is no longer finite";
  // An entry that is not finite on one side alone differs by infinity, or by what is no number.
  if (!Number.isFinite(difference.maximum)) return "outputs that were finite no longer are";
  if (exact && !isPreserved(difference)) return "its outputs moved by more than rounding";
  return undefined;
}
