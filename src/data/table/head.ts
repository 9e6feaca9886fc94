import { EspalierError } from "../../tensor/errors.ts";
import { isMissing } from "./cells.ts";
import type { TextOptions } from "./options.ts";
import type { CsvRecord } from "./records.ts";

/** scikit-learn's "569,30,malignant,benign" over rows of 30 features and a label. */
export function isScikitLine({ cells }: CsvRecord, second: CsvRecord | undefined): boolean {
  const [rows = "", columns = "", ...classNames] = cells;
  return (
    second !== undefined &&
    /^\d+$/.test(rows) &&
    /^\d+$/.test(columns) &&
    Number(columns) + 1 === second.cells.length &&
    classNames.length > 1 &&
    classNames.every((name) => !/^[\d.+-]/.test(name))
  );
}

/** A column below the first line: evidence for whether that line names it. */
export interface Below {
  /** Whether the column's cell in the first line is a number. */
  readonly first: boolean;
  readonly numbers: Float64Array;
  readonly texts: ReadonlyMap<number, string>;
}

/**
 * Whether the first line names the columns. It does if every cell is text and some are above numbers or none occurs
 * again; it does not if it has numbers above numbers. "0,1,2,target" names them too: its numbers count up.
 * Throws `CSV` if it could be either.
 */
export function namesColumns(
  name: string,
  first: CsvRecord,
  below: readonly Below[],
  { header = "auto" }: Pick<TextOptions, "header">,
): { readonly named: boolean; readonly note?: string } {
  if (typeof header === "boolean") return { named: header };
  const cells = first.cells.map((cell) => cell.trim());
  const numeric = below.filter(({ first: isNumber }) => isNumber).length;
  const overNumbers = below.filter((column) => !column.first && isAboveNumbers(column)).length;
  const again = cells.some((cell, at) => isSeenAgain(cell, below[at]));
  const shown = cells.slice(0, 6).join(", ") + (cells.length > 6 ? ", ..." : "");
  if (numeric === 0) {
    if (overNumbers > 0 || below.every(({ texts, numbers }) => texts.size + numbers.length === 0))
      return { named: true };
    return again
      ? { named: false }
      : { named: true, note: `line ${first.line} names the columns (${shown}); if it is data: --no-header` };
  }
  if (countsUp(cells)) {
    const distinct = new Set(cells).size === cells.length && !again;
    if (numeric < cells.length && distinct && (overNumbers > 0 || numeric > 2))
      return {
        named: true,
        note: `line ${first.line} names the columns: ${shown}; if it is data: --no-header`,
      };
    if (numeric === cells.length && numeric > 2 && isRowOfPlaces(cells)) {
      throw new EspalierError("CSV", {
        thing: `${name}, line ${first.line}`,
        rule: "counts up, as the names of unnamed columns do, but could also be data",
        received: first.cells.slice(0, 8).join(","),
        remedy: "Say which: header true (command line: --header) for names, false (--no-header) for data.",
      });
    }
  }
  return { named: false };
}

/** Only numbers and gaps, with at least one number. */
function isAboveNumbers({ numbers, texts }: Below): boolean {
  let found = false;
  for (const [row, value] of numbers.entries()) {
    if (!Number.isNaN(value)) found = true;
    else if (!isMissing(texts.get(row) ?? "", true)) return false;
  }
  return found;
}

function isSeenAgain(cell: string, column: Below | undefined): boolean {
  for (const text of column?.texts.values() ?? []) if (text === cell && text !== "") return true;
  return false;
}

/** Whether the whole numbers among the cells rise by one from cell to cell, as 0, 1, 2 and 2019, 2020 do. */
function countsUp(cells: readonly string[]): boolean {
  const numbers = cells.filter((cell) => /^[\d.+-]/.test(cell));
  return (
    numbers.length > 0 &&
    numbers.every((cell, at) => /^\d+$/.test(cell) && Number(cell) === Number(numbers[0]) + at)
  );
}

/** 0, 1, 2, ... or 1, 2, 3, ... */
function isRowOfPlaces(cells: readonly string[]): boolean {
  return Number(cells[0]) <= 1;
}
