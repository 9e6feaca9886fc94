import type { Progress } from "./state.ts";

/**
 * The identity of a width's units over a run that grows and shrinks. Every unit keeps the number that it was born with,
 * and no number is used twice, so that what is drawn for a unit (its first weights, its dropout masks) is drawn for no
 * other, and does not change when units before it are removed. Without a shrink these are simply the units' places.
 */
export interface Lineage {
  /** The number of each unit, ascending. */
  readonly numbers: readonly number[];
  /** The number of the next unit to be born. */
  readonly next: number;
}

type History = Pick<Progress, "growths" | "shrinks">;

/** Lineages by history, so that they are computed only when a run's history changes and not at every step. */
const known = new WeakMap<History["shrinks"], { growths: History["growths"]; lineages: Lineages }>();

export type Lineages = ReadonlyMap<string, Lineage>;

/** The lineage of every width that has ever shrunk, by id. */
export function lineagesOf({ growths, shrinks }: History): Lineages {
  const before = known.get(shrinks);
  if (before?.growths === growths) return before.lineages;
  const widths = new Set(shrinks.map(({ width }) => width));
  const lineages = new Map([...widths].map((width) => [width, lineageOf(width, { growths, shrinks })]));
  known.set(shrinks, { growths, lineages });
  return lineages;
}

function lineageOf(width: string, { growths, shrinks }: History): Lineage {
  // A record counts the growths before it, which puts both lists in one order.
  const events = [
    ...growths.map((record, index) => ({ record, place: index + 1, gone: undefined })),
    ...shrinks.map((record) => ({ record, place: record.growths + 0.5, gone: record.plan.gone })),
  ]
    .filter(({ record }) => record.width === width)
    .sort((a, b) => a.place - b.place);
  const first = events[0]?.record.size.before ?? 0;
  let numbers = range(0, first);
  let next = first;
  for (const { record, gone } of events) {
    if (gone === undefined) {
      const born = next;
      next += record.size.after - record.size.before;
      numbers = [...numbers, ...range(born, next)];
    } else {
      const leaving = new Set(gone.map(({ unit }) => unit));
      numbers = numbers.filter((_, unit) => !leaving.has(unit));
    }
  }
  return { numbers, next };
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
