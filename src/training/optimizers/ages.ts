import { axisView } from "../../tensor/axis.ts";

/**
 * When the entries of a parameter were born, as one vector per axis of the numbers of updates done by then.
 * An entry is as young as the youngest of its coordinates: its birth is the largest of its axes' (docs/theory.md,
 * "Optimizer state").
 */
export type Births = readonly Int32Array[];

/** Births of a parameter all of whose entries existed before the first update. */
export function bornFirst(dims: readonly number[]): Births {
  return dims.map((dim) => new Int32Array(dim));
}

/** The distinct births of several parameters, oldest first. A birth's index is its *generation*: larger is younger. */
export function generations(parameters: Iterable<Births>): Int32Array {
  const distinct = new Set<number>();
  for (const axes of parameters) {
    for (const axis of axes) {
      for (let index = 0; index < axis.length; index++) distinct.add(axis[index] as number);
    }
  }
  return Int32Array.from(distinct).sort();
}

/** A run of rows whose entries are all of one generation, or of one generation per column. */
export interface AgeRun {
  readonly firstRow: number;
  readonly rows: number;
  /** The generation of every entry, unless there are `columns`. */
  readonly generation: number;
  /** The generation of each column: an entry's is the larger of this and the run's. One vector for all runs. */
  readonly columns: Int32Array | undefined;
}

/** The runs of equal age of a parameter seen as [axis 0, everything else]. `births` are those of {@link generations}. */
export function ageRuns(axes: Births, births: Int32Array): readonly AgeRun[] {
  const generationOf = new Map(Array.from(births, (birth, generation) => [birth, generation]));
  const [rows = new Int32Array(1), ...rest] = axes.map((axis) =>
    axis.map((birth) => generationOf.get(birth) as number),
  );
  const columns = columnGenerations(rest);
  const oldest = columns.reduce((least, generation) => Math.min(least, generation));
  const youngest = columns.reduce((most, generation) => Math.max(most, generation));
  const runs: AgeRun[] = [];
  for (let first = 0; first < rows.length; ) {
    let end = first + 1;
    while (end < rows.length && rows[end] === rows[first]) end++;
    const row = rows[first] as number;
    const uniform = youngest <= Math.max(oldest, row);
    runs.push({
      firstRow: first,
      rows: end - first,
      generation: uniform ? Math.max(youngest, row) : row,
      columns: uniform ? undefined : columns,
    });
    first = end;
  }
  return runs;
}

/** Generations of the flattened axes after the first. */
function columnGenerations(axes: readonly Int32Array[]): Int32Array {
  const dims = axes.map((axis) => axis.length);
  const columns = new Int32Array(dims.reduce((size, dim) => size * dim, 1));
  axes.forEach((axisGenerations, axis) => {
    const { size, inner } = axisView(dims, axis);
    for (let index = 0; index < columns.length; index++) {
      const generation = axisGenerations[Math.floor(index / inner) % size] as number;
      if (generation > (columns[index] as number)) columns[index] = generation;
    }
  });
  return columns;
}
