import type { Dataset } from "./dataset.ts";
import type { Preprocessing } from "./preprocessing/preprocessing.ts";
import { splitRows } from "./split.ts";
import { encodeTable, encodeTarget } from "./table/encode.ts";
import { type FitOptions, fitPreprocessing } from "./table/fit.ts";
import type { TablePlan } from "./table/plan.ts";

export interface TableSplit {
  readonly train: Dataset;
  readonly validation?: Dataset;
  readonly test: Dataset;
}

export interface TableSplitOptions extends FitOptions {
  readonly testFraction: number;
  /** Share of what remains held out for validation; default 0: none. */
  readonly validationFraction?: number;
  readonly seed: number;
  /** A model's own record, which is used instead of one learned here. */
  readonly record?: Preprocessing;
}

/**
 * The rows of a table in two or three parts, split as `splitDataset` splits. Means, deviations, categories and fills are
 * learned from the training part alone, and used for all.
 */
export function splitTable(plan: TablePlan, options: TableSplitOptions): TableSplit {
  const { testFraction, validationFraction = 0, seed } = options;
  const all = Uint32Array.from({ length: plan.table.count }, (_, row) => row);
  const known = options.record ?? fitPreprocessing(plan, all);
  const { labels } = encodeTarget(plan.table, known, all);
  const cut = (rows: readonly number[], share: number) => {
    const parts = splitRows(
      {
        count: rows.length,
        ...(labels === undefined ? {} : { labels: Int32Array.from(rows, (row) => labels[row] as number) }),
      },
      share,
      seed,
    );
    const back = (picked: readonly number[]) => picked.map((at) => rows[at] as number);
    return { train: back(parts.train), test: back(parts.test) };
  };
  const whole = cut([...all], testFraction);
  const held = validationFraction > 0 ? cut(whole.train, validationFraction) : undefined;
  const train = held?.train ?? whole.train;
  const record = options.record ?? fitPreprocessing(plan, train, options);
  const part = (rows: readonly number[]) => ({
    ...encodeTable(plan.table, record, { rows }),
    ...(plan.notes.length === 0 ? {} : { notes: plan.notes }),
  });
  return {
    train: part(train),
    test: part(whole.test),
    ...(held === undefined ? {} : { validation: part(held.test) }),
  };
}
