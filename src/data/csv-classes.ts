import { EspalierError } from "../tensor/errors.ts";
import type { CsvHead } from "./csv-head.ts";
import { isNumber } from "./csv-number.ts";

/** The label column as text. */
export interface LabelCells {
  readonly labels: readonly string[];
  /** The line of each. */
  readonly lines: readonly number[];
}

/**
 * Integer classes from label cells: positions in `wanted` where that is given; else integers from 0 as they are;
 * else positions in the sorted distinct values. Throws `CSV` for an empty cell, `LABEL_RANGE` for one not wanted.
 */
export function csvClasses(
  name: string,
  { labels, lines }: LabelCells,
  head: CsvHead,
  wanted: readonly string[] | undefined,
): { readonly labels: readonly number[]; readonly classNames?: readonly string[] } {
  const place = (at: number) => `${name}, line ${lines[at]}, column ${head.label + 1}`;
  const empty = labels.indexOf("");
  if (empty !== -1) {
    throw new EspalierError("CSV", {
      thing: place(empty),
      rule: "must hold a class",
      received: "",
      remedy: "Fill the gap, or leave the row out.",
    });
  }
  if (wanted !== undefined) {
    const indices = positions(wanted, labels);
    const stray = indices.indexOf(-1);
    if (stray === -1) return { labels: indices, classNames: wanted };
    throw new EspalierError("LABEL_RANGE", {
      thing: place(stray),
      rule: `must be one of ${wanted.join(", ")}`,
      received: labels[stray],
      remedy: "Name every class in classNames.",
    });
  }
  if (!labels.every(isNumber)) {
    const classNames = [...new Set(labels)].sort();
    return { labels: positions(classNames, labels), classNames };
  }
  const values = labels.map(Number);
  if (head.classNames !== undefined) return { labels: values, classNames: head.classNames };
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  if (distinct[0] === 0 && distinct.every(Number.isInteger)) return { labels: values };
  return { labels: positions(distinct, values), classNames: distinct.map(String) };
}

/** Where each value stands in `list`; -1 where it does not. */
function positions<T>(list: readonly T[], values: readonly T[]): number[] {
  const at = new Map(list.map((value, index) => [value, index]));
  return values.map((value) => at.get(value) ?? -1);
}
