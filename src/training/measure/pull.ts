import { choiceKey } from "../../growth/plan/choice.ts";
import { fillOne, keepZero } from "../../growth/plan/fills.ts";
import { type Matrix, matrix } from "../../growth/plan/matrix.ts";
import { incomingParts, outgoingParts, type TrialUnits } from "../../growth/plan/probe.ts";
import type { Width } from "../../growth/plan/width.ts";
import { differentiate } from "../graphs/differentiate.ts";
import type { Mean, Measured } from "./measurement.ts";
import { unitEntries } from "./unit-entries.ts";

/** Units that are tried at once: more would use more memory and gain nothing. */
const most = 256;

/** dL/d(incoming weights), even of units that are zero. */
export const pullMeasured: Measured = {
  kind: "pull",
  open: true,
  write({ graph, loss }, width) {
    const gradients = differentiate(graph, loss, pulledParameters(width));
    return new Map([...gradients].map(([name, value]) => [`gradient ${name}`, { value, over: "mean" }]));
  },
};

export const pulledParameters = (width: Width) => [
  ...new Set(incomingParts(width).map(({ parameter }) => parameter)),
];

/**
 * Measures the gradient of units with zero incoming weights whose outgoing weights are, in turn, each of the unit vectors:
 * one backward pass is linear in them. `lengths` are the entries of a unit in each part, by {@link choiceKey}.
 */
export async function pullBy(
  width: Width,
  lengths: ReadonlyMap<string, number>,
  measure: (trial: TrialUnits) => Promise<ReadonlyMap<string, Mean>>,
): Promise<Matrix> {
  const starts = new Map<string, number>();
  let entries = 0;
  for (const part of outgoingParts(width)) {
    starts.set(part.parameter, entries);
    entries += lengths.get(choiceKey(part)) ?? 0;
  }
  const rows: Float64Array[] = [];
  for (let first = 0; first < entries; first += most) {
    const count = Math.min(most, entries - first);
    const means = await measure({ count, seed: 0, strategy: unitVectors(starts, first) });
    for (let unit = 0; unit < count; unit++) rows.push(new Float64Array(0));
    for (const part of incomingParts(width)) {
      const mean = means.get(`gradient ${part.parameter}`);
      if (mean === undefined) continue;
      unitEntries(mean, part, width.size + count, width.size).forEach((values, unit) => {
        rows[first + unit] = Float64Array.of(...(rows[first + unit] as Float64Array), ...values);
      });
    }
  }
  const columns = rows[0]?.length ?? 0;
  const pull = matrix(rows.length, columns);
  rows.forEach((row, at) => {
    pull.data.set(row, at * columns);
  });
  return pull;
}

/** Trial unit u has outgoing weight 1 at entry `first` + u, and 0 at all others. */
function unitVectors(starts: ReadonlyMap<string, number>, first: number): TrialUnits["strategy"] {
  return {
    incoming: keepZero,
    shift: keepZero,
    scale: fillOne,
    outgoing({ slices, oldUnits, newUnits }) {
      const start = starts.get(slices.parameter) ?? 0;
      for (let unit = 0; unit < newUnits; unit++) {
        const entry = first + unit - start;
        if (entry < 0 || entry >= slices.length) continue;
        slices.map(oldUnits + unit, (_, index) => (index === entry ? 1 : 0));
      }
    },
  };
}
