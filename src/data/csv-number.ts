import { EspalierError } from "../tensor/errors.ts";

const decimal = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/;

/** Whether a cell is a decimal number; `Number` alone would also take "", "0x10" and "Infinity". */
export function isNumber(cell: string): boolean {
  return decimal.test(cell);
}

/** The number in a cell; `column` counts from 0. Throws `CSV` for anything that is not a number of float32's range. */
export function cellNumber(name: string, line: number, column: number, cell: string): number {
  const value = isNumber(cell) ? Number(cell) : Number.NaN;
  if (Number.isFinite(Math.fround(value))) return value;
  throw new EspalierError("CSV", {
    thing: `${name}, line ${line}, column ${column + 1}`,
    rule: "must be a number that float32 can hold",
    received: cell,
    remedy: "Fill or drop missing values; set label, header or skipRows if this is not data.",
  });
}
