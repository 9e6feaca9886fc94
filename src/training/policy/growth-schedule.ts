import { widthOf } from "../../growth/find/widths.ts";
import type { Width } from "../../growth/plan/width.ts";
import { EspalierError } from "../../tensor/errors.ts";

/** A width that is to grow by `by` units when a run reaches a step. */
export type GrowthEvent = GrowthOnce | GrowthRepeated;

export interface GrowthOnce {
  readonly width: string;
  readonly by: number;
  /** Updates done when it grows: after update `at`, before update `at + 1`. */
  readonly at: number;
}

export interface GrowthRepeated {
  readonly width: string;
  readonly by: number;
  /** Grows after updates `every`, 2 × `every`, ... */
  readonly every: number;
  /** Units at which it stops; the last growth is cut to fit. Default: it continues to the end of the run. */
  readonly until?: number;
}

/** A growth to do now. */
export interface DueGrowth {
  readonly width: string;
  readonly by: number;
}

/** The growths due once `step` updates are done, in the order of `events`. `sizeOf` returns the present units of a width. */
export function dueGrowths(
  events: readonly GrowthEvent[],
  step: number,
  sizeOf: (width: string) => number,
): readonly DueGrowth[] {
  const sizes = new Map<string, number>();
  const due: DueGrowth[] = [];
  for (const event of events) {
    if ("at" in event ? event.at !== step : step === 0 || step % event.every !== 0) continue;
    const size = sizes.get(event.width) ?? sizeOf(event.width);
    const room = "at" in event ? event.by : (event.until ?? Number.POSITIVE_INFINITY) - size;
    const by = Math.min(event.by, room);
    if (by <= 0) continue;
    sizes.set(event.width, size + by);
    due.push({ width: event.width, by });
  }
  return due;
}

/**
 * Refuses events that could not happen in a run of `steps` updates, before it starts. Throws `UNKNOWN_WIDTH`,
 * `NOT_GROWABLE`, `ARGUMENT`.
 */
export function checkGrowths(events: readonly GrowthEvent[], widths: readonly Width[], steps: number): void {
  for (const event of events) {
    const width = growableWidth(widths, event.width, `+${event.by}`);
    const first = "at" in event ? event.at : event.every;
    if (first >= steps) {
      throw new EspalierError("ARGUMENT", {
        thing: `growth of "${width.id}"`,
        rule: `must happen before the last of ${steps} steps, so that the new units can learn`,
        received: `step ${first}`,
        remedy: "Grow earlier or train longer.",
      });
    }
    if ("every" in event && event.until !== undefined && event.until <= width.size) {
      throw new EspalierError("ARGUMENT", {
        thing: `growth of "${width.id}"`,
        rule: `must be more than the ${width.size} units there are`,
        received: event.until,
      });
    }
  }
}

/** The width called `id`, if it can grow. Throws `UNKNOWN_WIDTH` or `NOT_GROWABLE`. */
export function growableWidth(widths: readonly Width[], id: string, received?: string): Width {
  const width = widthOf(widths, id);
  if (width.growable) return width;
  throw new EspalierError("NOT_GROWABLE", {
    thing: `width "${id}"`,
    rule: `cannot be widened exactly: ${width.reason}`,
    ...(received === undefined ? {} : { received }),
    remedy: `Widen another: ${growable(widths)}.`,
  });
}

function growable(widths: readonly Width[]): string {
  return (
    widths
      .filter((width) => width.growable)
      .map((width) => width.id)
      .join(", ") || "there is none"
  );
}
