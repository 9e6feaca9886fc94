import type { Feeds } from "../../engine/session.ts";
import { compareOutputs, isPreserved, type OutputDifference, worstOf } from "../../growth/examine/compare.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { SizeChange } from "../history/record.ts";
import { noiseOf } from "../verification/noise.ts";
import type { Resized } from "./size-change.ts";

/** A change of size before it is kept, with the measurements before and after it. */
export interface CommitOutcome {
  readonly width: string;
  /** The change in words: "grown" or "shrunk". */
  readonly verb: string;
  /** Whether outputs must stay the same within their rounding bounds; else they need only be finite. */
  readonly exact: boolean;
  readonly loss: SizeChange["loss"];
  readonly difference: OutputDifference;
}

/** Outputs before and after on one batch, in the same order, and what limits how far rounding may move them apart. */
export interface Moved {
  readonly before: readonly Tensor[];
  readonly after: readonly Tensor[];
  readonly bounds: readonly (Tensor | undefined)[];
  /** Whether a rule says that they are the same except for rounding. */
  readonly exact: boolean;
  /** Computes the outputs of the new network after `shake` has changed its variables and its batch. */
  readonly shaken: (shake: (feeds: Feeds) => Feeds) => Promise<readonly Tensor[]>;
}

/**
 * How far a change of size moved the outputs: the difference of the one that moved beyond its limit, else of the one that
 * moved most. Like `verify`, it measures noise if bounds do not settle it.
 */
export async function movedBy(moved: Moved): Promise<OutputDifference> {
  const all: OutputDifference[] = [];
  for (let at = 0; at < moved.before.length; at++) all.push(await oneMoved(moved, at));
  return worstOf(all);
}

async function oneMoved({ exact, shaken, ...moved }: Moved, at: number): Promise<OutputDifference> {
  const [before, after] = [moved.before[at] as Tensor, moved.after[at] as Tensor];
  const bound = moved.bounds[at];
  const told = compareOutputs(before, after, bound, { proven: exact });
  if (!exact || isPreserved(told)) return told;
  const noise = await noiseOf(after, async (shake) => (await shaken(shake))[at] as Tensor);
  return compareOutputs(before, after, bound, { proven: exact, noise });
}

/**
 * Keeps a change of size; or undoes it completely and throws `NOT_PRESERVED` if the loss or an output was finite and no
 * longer is, or if an exact change moved an output by more than rounding.
 */
export async function commit(resized: Pick<Resized, "keep" | "undo">, outcome: CommitOutcome): Promise<void> {
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

function faultOf({ exact, loss, difference }: CommitOutcome): string | undefined {
  if (Number.isFinite(loss.before) && !Number.isFinite(loss.after)) return "its loss is no longer finite";
  // An entry that is finite on only one side differs by infinity or NaN.
  if (!Number.isFinite(difference.maximum)) return "outputs that were finite no longer are";
  if (exact && !isPreserved(difference)) return "its outputs moved by more than rounding";
  return undefined;
}
