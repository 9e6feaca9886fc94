import { realValues } from "../../growth/plan/real-parameter.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** At most this many entries are examined: positions and masks are recognizable in fewer. */
const most = 1 << 16;

/** A pattern in a tensor of real numbers that no training produces, in words; undefined if the tensor may be weights. */
export function patternOf(tensor: Tensor): string | undefined {
  if (tensor.data.length < 2) return undefined;
  const values = realValues(tensor);
  if (values.length > most) return undefined;
  if (isUniform(values)) return undefined;
  if (isWhole(values)) return "whole numbers";
  if (isEvenlySpaced(values)) return "evenly spaced numbers";
  if (isRepeated(values, tensor.dims)) return "the same numbers over and over";
  const [rows = 0, columns = 0, ...more] = tensor.dims.filter((size) => size > 1);
  if (more.length > 0 || columns === 0) return undefined;
  return isWave(values, rows, columns) || isWave(values, columns, rows, true)
    ? "a table of sines"
    : undefined;
}

/** Whether all entries are the same. */
export function isUniform(values: ArrayLike<number>): boolean {
  for (let at = 1; at < values.length; at++) if (values[at] !== values[0]) return false;
  return true;
}

function isWhole(values: ArrayLike<number>): boolean {
  for (let at = 0; at < values.length; at++) if (!Number.isInteger(values[at])) return false;
  return true;
}

/** Whether all slices along the first axis are the same, as in a blur of each channel. */
function isRepeated(values: ArrayLike<number>, [count = 1]: readonly number[]): boolean {
  const size = values.length / count;
  if (count < 2 || size < 2) return false;
  for (let at = size; at < values.length; at++) if (values[at] !== values[at - size]) return false;
  return true;
}

/** At least four entries, each larger than the one before by the same amount. */
function isEvenlySpaced(values: ArrayLike<number>): boolean {
  if (values.length < 4) return false;
  const [first, last] = [values[0] as number, values[values.length - 1] as number];
  const step = (last - first) / (values.length - 1);
  const slack = 4e-7 * Math.max(Math.abs(first), Math.abs(last));
  for (let at = 1; at < values.length; at++) {
    if (Math.abs((values[at] as number) - (first + at * step)) > slack) return false;
  }
  return true;
}

/**
 * Whether each column is A sin(ω·row + φ): then the sum of two neighbors of an entry is 2cos(ω) times the entry. At least
 * five rows, and a column that is not constant.
 */
function isWave(values: ArrayLike<number>, rows: number, columns: number, transposed = false): boolean {
  if (rows < 5 || columns < 2) return false;
  const entry = (row: number, column: number) =>
    values[transposed ? column * rows + row : row * columns + column] as number;
  let waves = 0;
  for (let column = 0; column < columns; column++) {
    let [products, squares, largest] = [0, 0, 0];
    for (let row = 1; row < rows - 1; row++) {
      const own = entry(row, column);
      products += own * (entry(row - 1, column) + entry(row + 1, column));
      squares += own * own;
      largest = Math.max(largest, Math.abs(own));
    }
    if (squares === 0) continue;
    const factor = products / squares;
    if (Math.abs(factor) > 2 + 1e-3) return false;
    for (let row = 1; row < rows - 1; row++) {
      const off = entry(row - 1, column) + entry(row + 1, column) - factor * entry(row, column);
      if (Math.abs(off) > 1e-4 * largest) return false;
    }
    if (entry(0, column) !== entry(1, column)) waves++;
  }
  return waves > 1;
}
