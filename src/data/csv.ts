import { checkOptionNames, type OptionNames } from "../tensor/known-options.ts";
import { type Dataset, dataset } from "./dataset.ts";
import type { Source } from "./source.ts";
import { applyStandardizer, type Standardizer } from "./standardize.ts";
import { encodeTable } from "./table/encode.ts";
import { fitPreprocessing } from "./table/fit.ts";
import { type TableOptions, tableNames } from "./table/options.ts";
import { parseTable } from "./table/parse.ts";
import { planTable } from "./table/plan.ts";
import { readTable, type TableFileOptions } from "./table/read.ts";
import type { Table } from "./table/table.ts";

export interface CsvOptions extends TableOptions {
  /** `true`: with this file's own statistics, targets too; a standardizer: with its statistics. Default: as read. */
  readonly standardize?: boolean | Standardizer;
}

const csvNames: OptionNames<CsvOptions> = { ...tableNames, standardize: true };

export interface CsvFileOptions extends CsvOptions, TableFileOptions {
  readonly name?: string;
}

/** {@link parseCsv} of a file, given as a path or bytes, gzipped or not. Throws what parsing and reading throw. */
export async function loadCsv(source: Source, options: CsvFileOptions = {}): Promise<Dataset> {
  checkOptionNames("loadCsv", options, { ...csvNames, maxBytes: true, encoding: true });
  return datasetOf(await readTable(source, options), options);
}

/**
 * A dataset from CSV text. Every column except the label is a feature; a text column becomes one feature per category.
 * Classes that are integers from 0 are kept; any others are numbered in sorted order (numbers by size, text by code
 * unit) and named in `classNames`. Throws `CSV` with the line for a row of a different length, with line and column
 * for a gap or a cell that is not a number, and for a column that is clearly not what it is taken as; `EMPTY_DATA` if
 * there are no rows, `LABEL_RANGE` for a class outside `classNames`.
 */
export function parseCsv(text: string, options: CsvOptions = {}): Dataset {
  checkOptionNames("parseCsv", options, csvNames);
  return datasetOf(parseTable(text, options), options);
}

function datasetOf(table: Table, options: CsvOptions): Dataset {
  const plan = planTable(table, options);
  const rows = Uint32Array.from({ length: plan.table.count }, (_, row) => row);
  const record = fitPreprocessing(plan, rows, { standardize: options.standardize === true });
  const made = dataset({ ...encodeTable(plan.table, record), notes: plan.notes });
  if (typeof options.standardize !== "object") return made;
  return applyStandardizer(made, options.standardize);
}
