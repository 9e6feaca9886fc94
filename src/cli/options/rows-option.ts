import type { Command } from "commander";
import { type Dataset, dataset } from "../../data/dataset.ts";
import type { Preprocessing, TableFeatures } from "../../data/preprocessing/index.ts";
import { encodeTable } from "../../data/table/encode.ts";
import { fitPreprocessing } from "../../data/table/fit.ts";
import { planTable } from "../../data/table/plan.ts";
import { readTable } from "../../data/table/read.ts";
import type { Table } from "../../data/table/table.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { type DataOptions, loadData, parseData, tableWith } from "./data-option.ts";
import type { TableReading } from "./table-options.ts";

/** Rows for a model to answer, and what should be known about how they were read. */
export interface RowsOfFile {
  readonly data: Dataset;
  readonly notes: readonly string[];
}

/** Rows without labels, by a model's record, or by position if it has none. Throws what reading throws. */
export async function rowsToPredict(
  file: string,
  reading: TableReading,
  record: Preprocessing | undefined,
  inputs: number,
): Promise<RowsOfFile> {
  const { features, target } = record ?? {};
  if (record === undefined || features?.kind !== "table") return unknownRows(file, reading, inputs);
  const table = columnsByPosition(await readTable(file, { ...reading, leastColumns: 1 }), features);
  const known = [...features.columns.map(({ name }) => name), ...(target === undefined ? [] : [target.name])];
  const names = table.columns.map(({ name }) => name);
  const missing = features.columns.map(({ name }) => name).filter((name) => !names.includes(name));
  if (missing.length > 0) throw missingColumns(table, missing);
  const extra = names.filter((name) => !known.includes(name));
  const data = encodeTable(table, record, { target: false });
  return {
    data,
    notes:
      extra.length === 0 ? [] : [`columns that the model does not know are ignored: ${extra.join(", ")}`],
  };
}

/** All rows with their labels, by a model's record, or as they appear. Throws what reading throws. */
export async function rowsToEvaluate(
  options: DataOptions,
  record: Preprocessing | undefined,
): Promise<RowsOfFile> {
  const choice = parseData(options.data);
  if (choice.kind !== "csv") {
    const { test } = await loadData(options);
    return { data: test, notes: ["evaluated on the part of the data that train holds out for testing"] };
  }
  const { table: reading } = options;
  if (record?.features.kind === "table") {
    const table = columnsByPosition(await readTable(choice.file, reading), record.features);
    const names = table.columns.map(({ name }) => name);
    const wanted = [...record.features.columns, ...(record.target === undefined ? [] : [record.target])];
    const missing = wanted.map(({ name }) => name).filter((name) => !names.includes(name));
    if (missing.length > 0) throw missingColumns(table, missing);
    return { data: encodeTable(table, record), notes: [] };
  }
  const plan = planTable(
    await readTable(choice.file, reading),
    record === undefined ? reading : tableWith(reading, record),
  );
  const rows = Uint32Array.from({ length: plan.table.count }, (_, row) => row);
  return { data: encodeTable(plan.table, fitPreprocessing(plan, rows)), notes: [...plan.notes, byPosition] };
}

const byPosition =
  "the model does not record the names of its columns: they are taken in the order of the file";

/** Columns without names go by position if there are as many as features: the label may be left out. */
function columnsByPosition(table: Table, { named, columns }: TableFeatures): Table {
  if (named || table.named || table.columns.length !== columns.length) return table;
  return {
    ...table,
    columns: table.columns.map((column, at) => ({ ...column, name: columns[at]?.name ?? column.name })),
  };
}

/** A model from elsewhere has no names: the first columns are its inputs, and one more column is the label. */
async function unknownRows(file: string, reading: TableReading, inputs: number): Promise<RowsOfFile> {
  const table = await readTable(file, { ...reading, leastColumns: 1 });
  const { count } = table;
  const columns = table.columns.slice(0, inputs);
  const rest = table.columns.slice(inputs);
  if (columns.length < inputs || rest.length > 1) {
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: file,
      rule: `must have ${inputs} columns, one for each input number of the model, and at most a label after them`,
      received: table.columns.length,
      remedy: "Leave other columns out of the file.",
    });
  }
  const record: Preprocessing = {
    version: 1,
    features: {
      kind: "table",
      named: table.named,
      columns: columns.map(({ name }) => ({ kind: "number", name, mean: 0, deviation: 1 })),
    },
  };
  const { features, featureNames } = encodeTable(table, record, { target: false });
  const label =
    rest[0] === undefined ? [] : [`the last column, ${rest[0].name}, is taken for the label and ignored`];
  const names = featureNames === undefined ? {} : { featureNames };
  return { data: dataset({ name: file, count, features, ...names }), notes: [byPosition, ...label] };
}

function missingColumns(table: Table, missing: readonly string[]): EspalierError {
  return new EspalierError("SHAPE_MISMATCH", {
    thing: table.name,
    rule: `must have the ${missing.length === 1 ? "column" : "columns"} ${missing.join(", ")}, which the model was trained with`,
    received: table.columns.slice(0, 20).map(({ name }) => name),
    remedy: "Name the columns as in the training data; their order does not matter.",
  });
}

/** Adds the option that names the rows. */
export function rowsOption(command: Command, text: string): Command {
  return command.requiredOption("--data <file>", text);
}
