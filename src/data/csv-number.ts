import { EspalierError } from "../tensor/errors.ts";

const decimal = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/;

/** Whether a cell is a decimal number; `Number` alone would also take "", "0x10" and "Infinity". */
export function isNumber(cell: string): boolean {
  return decimal.test(cell);
}

const missingRemedy = "Fill the gap, or leave the row out.";
const textRemedy =
  "Turn text into numbers first. If this column is the label, say so: label (command line: --label). If this line is no data: header or skipRows.";

/**
 * The number in a cell; `column` counts from 0. Throws `CSV` for anything that is not a number of float32's range, with
 * `remedy` for text.
 */
export function cellNumber(
  name: string,
  line: number,
  column: number,
  cell: string,
  remedy = textRemedy,
): number {
  const value = isNumber(cell) ? Number(cell) : Number.NaN;
  if (Number.isFinite(Math.fround(value))) return value;
  throw new EspalierError("CSV", {
    thing: `${name}, line ${line}, column ${column + 1}`,
    rule: "must be a number that float32 can hold",
    received: cell,
    remedy: /^\s*([+-]?(nan|na|n\/a|null|inf|infinity))?\s*$/i.test(cell) ? missingRemedy : remedy,
  });
}
