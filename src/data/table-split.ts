import type { Dataset } from "./dataset.ts";
import { isWide, type Preprocessing, wideColumns } from "./preprocessing/preprocessing.ts";
import { splitRows } from "./split.ts";
import { quoted } from "./table/cells.ts";
import { encodeTable, encodeTarget } from "./table/encode.ts";
import { fitPreprocessing, type PreprocessingFitOptions } from "./table/fit.ts";
import type { TablePlan } from "./table/plan.ts";

export interface TableSplit {
  readonly train: Dataset;
  readonly validation?: Dataset;
  readonly test: Dataset;
}

export interface TableSplitOptions extends PreprocessingFitOptions {
  readonly testFraction: number;
  /** Fraction of the remaining rows held out for validation; default 0. */
  readonly validationFraction?: number;
  readonly seed: number;
  /** A model's own record, to use instead of learning one here. */
  readonly record?: Preprocessing;
}

/**
 * Splits the rows of a table into two or three parts, as `splitDataset` does. Means, deviations, categories and fills
 * are learned from the training part alone, and applied to all.
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
  const notes = [...plan.notes, ...wideNotes(record)];
  const part = (rows: readonly number[]) => ({
    ...encodeTable(plan.table, record, { rows }),
    ...(notes.length === 0 ? {} : { notes }),
  });
  return {
    train: part(train),
    test: part(whole.test),
    ...(held === undefined ? {} : { validation: part(held.test) }),
  };
}

/** What tools that feed the model need to know about its types. */
function wideNotes({ features, target }: Preprocessing): readonly string[] {
  const wide = features.kind === "table" ? wideColumns(features) : [];
  return [
    ...wide
      .slice(0, 1)
      .map(({ name }) => `float32 would merge values of ${quoted(name)}, so the model expects float64 rows`),
    ...(target?.kind === "number" && isWide(target)
      ? [`float32 would merge values of ${quoted(target.name)}: a model file gives float64`]
      : []),
  ];
}
