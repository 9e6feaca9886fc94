import { EspalierError } from "../../tensor/errors.ts";
import type { SizeChange } from "./record.ts";
import type { Progress } from "./state.ts";

/**
 * The progress of a run at `now` that returns to `then`: as it was then, except for what was spent. Throws `ARGUMENT` if
 * `then` is not an earlier state of the run.
 */
export function rolledBack(now: Progress, then: Progress): Progress {
  const undone = now.rollbacks.slice(then.rollbacks.length);
  const told = undone.reduce((sum, { flops }) => sum + flops, 0);
  const flops = now.flops - then.flops - told;
  if (!isBefore(then, now) || flops < 0) {
    throw new EspalierError("ARGUMENT", {
      thing: "state to roll back to",
      rule: "must be an earlier one of the same run",
      received: { step: then.step, growths: then.growths.length, flops: then.flops },
      remedy: `The run is at step ${now.step} after ${now.growths.length} growths.`,
    });
  }
  const growths = now.growths.slice(then.growths.length);
  const shrinks = now.shrinks.slice(then.shrinks.length);
  return {
    ...then,
    flops: now.flops,
    spent: now.spent,
    rollbacks: [...now.rollbacks, { from: now.step, to: then.step, flops, growths, shrinks }],
  };
}

/** Whether the growths, shrinks and rollbacks of `now` begin with those of `then`, by value: a resumed run has read new copies of its own. */
function isBefore(then: Progress, now: Progress): boolean {
  const nameOf = ({ width, step, size }: SizeChange) => JSON.stringify([width, step, size]);
  const begins = (long: readonly SizeChange[], short: readonly SizeChange[]) =>
    short.length <= long.length &&
    short.every((change, index) => nameOf(change) === nameOf(long[index] as SizeChange));
  return (
    then.step <= now.step &&
    then.rollbacks.length <= now.rollbacks.length &&
    begins(now.growths, then.growths) &&
    begins(now.shrinks, then.shrinks)
  );
}
