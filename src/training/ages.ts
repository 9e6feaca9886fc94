import { axisView } from "../tensor/axis.ts";

/**
 * When the entries of a parameter were born, as one vector per axis of the numbers of updates done by then.
 * An entry is as young as the youngest of its coordinates: its birth is the largest of its axes' (GROWTH.md,
 * "Optimiser state").
 */
export type Births = readonly Int32Array[];

/** Births of a parameter all of whose entries start now, after `step` updates. */
export function bornAt(dims: readonly number[], step: number): Births {
  return dims.map((dim) => new Int32Array(dim).fill(step));
}

/** A run of rows whose entries have one age, or one age a column. */
export interface AgeRun {
  readonly firstRow: number;
  readonly rows: number;
  /** One birth for all, or the births column by column. */
  readonly births: number | Int32Array;
}

/** The runs of equal age of a parameter seen as [axis 0, everything else]. */
export function ageRuns(births: Births): readonly AgeRun[] {
  const [rowBirths = new Int32Array(1), ...rest] = births;
  const columns = columnBirths(rest);
  const runs: AgeRun[] = [];
  for (let first = 0; first < rowBirths.length; ) {
    let end = first + 1;
    while (end < rowBirths.length && rowBirths[end] === rowBirths[first]) end++;
    const row = rowBirths[first] as number;
    const young = columns.map((birth) => Math.max(birth, row));
    const uniform = young.every((birth) => birth === young[0]);
    runs.push({ firstRow: first, rows: end - first, births: uniform ? (young[0] ?? row) : young });
    first = end;
  }
  return runs;
}

/** Births of the flattened axes after the first. */
function columnBirths(axes: Births): Int32Array {
  const dims = axes.map((axis) => axis.length);
  const births = new Int32Array(dims.reduce((size, dim) => size * dim, 1));
  axes.forEach((axisBirths, axis) => {
    const { size, inner } = axisView(dims, axis);
    for (let index = 0; index < births.length; index++) {
      const birth = axisBirths[Math.floor(index / inner) % size] as number;
      if (birth > (births[index] as number)) births[index] = birth;
    }
  });
  return births;
}
