import { unitPositions } from "../../graph/layout.ts";
import type { WidthPart } from "../../growth/plan/width.ts";
import { axisView } from "../../tensor/axis.ts";
import type { Mean } from "./measurement.ts";

/** The entries of a parameter of `units` units that belong to each unit from `from` on, in the order of growth's slices. */
export function unitEntries(
  { dims, data }: Mean,
  { axis, layout }: Pick<WidthPart, "axis" | "layout">,
  units: number,
  from = 0,
): readonly Float64Array[] {
  const { perUnit, positions } = unitPositions(layout, units);
  const { outer, size, inner } = axisView(dims, axis);
  return Array.from({ length: units - from }, (_, index) => {
    const entries = new Float64Array(perUnit * outer * inner);
    let next = 0;
    for (let at = (from + index) * perUnit; at < (from + index + 1) * perUnit; at++) {
      for (let block = 0; block < outer; block++) {
        const start = (block * size + (positions[at] as number)) * inner;
        entries.set(data.subarray(start, start + inner), next);
        next += inner;
      }
    }
    return entries;
  });
}

export const sumOfSquares = (values: Float64Array): number =>
  values.reduce((sum, value) => sum + value * value, 0);
