import { type Command, Option } from "commander";
import { type IdxOptions, imageAxes } from "../../data/idx.ts";
import { encodings, missingRules, type TableOptions } from "../../data/table/options.ts";
import type { TableFileOptions } from "../../data/table/read.ts";
import { type LossOf, lossOf } from "../../training/losses/index.ts";
import { predictsOf } from "./loss-option.ts";
import { badOption, oneOf, wholeNumber } from "./option-values.ts";

/** How a CSV file is read, as typed. */
export interface RawTableOptions {
  readonly label?: string;
  readonly task?: string;
  /** `--header` and `--no-header`; undefined: as found. */
  readonly header?: boolean;
  readonly delimiter?: string;
  readonly skipRows?: string;
  readonly comment?: string;
  readonly decimal?: string;
  readonly thousands?: string;
  readonly encoding?: string;
  readonly missing?: string;
  readonly drop?: readonly string[];
  readonly keep?: readonly string[];
  readonly categories?: readonly string[];
  readonly standardize?: boolean;
  readonly axes?: string;
}

/** How a CSV file is read. */
export type TableReading = TableOptions & Pick<TableFileOptions, "encoding"> & Pick<IdxOptions, "axes">;

const collect = (value: string, before: readonly string[] | undefined) => [...(before ?? []), value];

/** The value and effect of each option: the single list for all commands that read a CSV file. */
const table: readonly Option[] = [
  new Option(
    "--label <column>",
    "label column of a CSV file: its name, or its index from 0 (default: the last)",
  ),
  new Option(
    "--task <kind>",
    "what the labels are: classification or regression (default: judged by the labels, and reported)",
  ),
  new Option(
    "--header",
    "the first line of a CSV file names the columns (default: judged by the lines below it)",
  ),
  new Option("--no-header", "the first line of a CSV file is data"),
  new Option("--delimiter <character>", "what separates the cells of a CSV file; tab is a word (default: ,)"),
  new Option("--skip-rows <count>", "lines to skip at the start of a CSV file"),
  new Option("--comment <text>", "prefix of comment lines in a CSV file, which are skipped, such as #"),
  new Option("--decimal <character>", "the decimal separator: . or , (default: .)"),
  new Option("--thousands <character>", "thousands separator of numbers, such as , (default: none)"),
  new Option("--encoding <name>", `of a CSV file: ${encodings.join(", ")} (default: utf-8, or by its mark)`),
  new Option(
    "--missing <rule>",
    `what becomes of gaps, such as empty cells and NA: ${missingRules.join(", ")} (default: error)`,
  ),
  new Option("--drop <column>", "leave this column out; repeatable").argParser(collect),
  new Option(
    "--keep <column>",
    "a feature although it counts the rows or equals the label; repeatable",
  ).argParser(collect),
  new Option("--categories <column>", "treat the cells of this column as categories; repeatable").argParser(
    collect,
  ),
  new Option(
    "--standardize",
    "scale each feature to mean 0 and deviation 1, as the training part has them (default: for a CSV file and a network made here)",
  ),
  new Option(
    "--axes <order>",
    "of idx images with three axes: chw, or hwc, which is transposed to chw (default: chw; refused if it looks like hwc)",
  ),
  new Option("--no-standardize", "use features as they are"),
];

/** Adds the options that say how a CSV file, or images, are read. */
export function tableOptions(command: Command): Command {
  for (const option of table) command.addOption(option);
  return command;
}

/** Names of the options, as in a command's options object. */
export const tableOptionNames: readonly (keyof RawTableOptions)[] = [
  ...new Set(table.map((option) => option.attributeName() as keyof RawTableOptions)),
];

/** "--skip-rows" for "skipRows". */
export function optionName(attribute: string): string {
  return `--${attribute.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

const tasks = { classification: "class", regression: "number" } as const;

/** Throws `USAGE`. `loss` says what labels are if `--task` does not. */
export function readTableOptions(raw: RawTableOptions, loss: LossOf | undefined): TableReading {
  const columns = (given: readonly string[] | undefined) => given?.map(columnChoice);
  const { label, header, delimiter, comment, thousands } = raw;
  const decimal = raw.decimal;
  if (decimal !== undefined && decimal !== "." && decimal !== ",")
    throw badOption("--decimal", "must be . or ,", decimal);
  return defined({
    target: targetOf(raw, loss),
    label: label === undefined ? undefined : columnChoice(label),
    header,
    delimiter: delimiter === "tab" ? "\t" : delimiter,
    skipRows: raw.skipRows === undefined ? undefined : wholeNumber("--skip-rows", raw.skipRows, 0),
    comment,
    decimal,
    thousands,
    encoding: raw.encoding === undefined ? undefined : oneOf("--encoding", raw.encoding, encodings),
    missing: raw.missing === undefined ? undefined : oneOf("--missing", raw.missing, missingRules),
    axes: raw.axes === undefined ? undefined : oneOf("--axes", raw.axes, imageAxes),
    drop: columns(raw.drop),
    keep: columns(raw.keep),
    categories: columns(raw.categories),
  });
}

function targetOf({ task }: RawTableOptions, loss: LossOf | undefined): NonNullable<TableOptions["target"]> {
  const predicts = loss === undefined ? "side" : predictsOf(loss);
  const byLoss = predicts === "side" ? "auto" : predicts;
  if (task === undefined) return byLoss;
  const kind = tasks[oneOf("--task", task, Object.keys(tasks) as (keyof typeof tasks)[])];
  if (byLoss !== "auto" && byLoss !== kind)
    throw badOption(
      "--task",
      `does not go with --loss ${loss === undefined ? "" : lossOf(loss).name}`,
      task,
      "Leave one of them out.",
    );
  return kind;
}

function columnChoice(text: string): string | number {
  return /^-?\d+$/.test(text) ? Number(text) : text;
}

/** Without what is undefined. */
function defined<T extends object>(parts: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as never;
}
