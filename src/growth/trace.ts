import { carriesUnits, type Layout, sameLayout } from "../graph/layout.ts";
import type { Grain } from "../ops/flow.ts";
import { axisKey, type FlowMap } from "./flow-map.ts";
import type { WidthAxis } from "./width.ts";

/** Where a trace starts: an axis cut into units. */
export interface Start {
  readonly value: string;
  readonly axis: number;
  readonly layout: Layout;
  readonly units: number;
}

/** An axis that a width is on. */
export interface Visit extends WidthAxis {
  /** Changes wherever two activations are multiplied and summed over the width (queries 0, keys 1). */
  readonly side: 0 | 1;
}

/** Everything that must change size together with the axis where a trace started. */
export interface Trace {
  readonly start: Start;
  /** By {@link axisKey}, nearest first. */
  readonly visits: ReadonlyMap<string, Visit>;
  /** The values whose axes they are. */
  readonly values: ReadonlySet<string>;
  readonly reads: readonly WidthAxis[];
  /** Why it cannot grow. */
  readonly reasons: readonly string[];
  /** Where another cut of an axis would pass. */
  readonly grains: readonly (Grain & { readonly value: string; readonly axis: number })[];
  /** Whether two activations are multiplied and summed over it. */
  readonly contracted: boolean;
}

/** Borders of the model that a trace may cross: `"output"` to grow outputs themselves. */
export type Borders = "none" | "input" | "output";

/** Follows the ties from an axis to everything that must change with it. */
export function traceWidth(flows: FlowMap, start: Start, open: Borders = "none"): Trace {
  const reasons = new Set<string>();
  const grains: (Grain & { value: string; axis: number })[] = [];
  const reads: WidthAxis[] = [];
  const visits = new Map<string, Visit>();
  let contracted = false;
  const queue: Visit[] = [{ value: start.value, axis: start.axis, layout: start.layout, side: 0 }];
  for (let at = 0; at < queue.length; at++) {
    const visit = queue[at] as Visit;
    const { value, axis, layout, side } = visit;
    const known = visits.get(axisKey(value, axis));
    if (known !== undefined) {
      if (!sameLayout(known.layout, layout)) {
        reasons.add(`"${value}" would have to grow in two different ways on axis ${axis}`);
      }
      continue;
    }
    visits.set(axisKey(value, axis), visit);
    const border = flows.borderAt(value, axis);
    if (border !== undefined && !border.startsWith(open)) reasons.add(`it reaches the ${border}`);
    const blocks = flows.blocksAt(value, axis);
    for (const reason of blocks) reasons.add(reason);
    if (blocks.length > 0) continue;
    const constant = flows.constants.has(value);
    for (const step of flows.stepsFrom(value, axis)) {
      const carried = step.carry(layout);
      if ("blocked" in carried) {
        reasons.add(`${step.node.op} "${step.node.name || step.node.outputs[0]}": ${carried.blocked}`);
        for (const grain of carried.instead ?? []) grains.push({ ...grain, value, axis });
        continue;
      }
      // A concatenation or a fold may tell that the width does not reach this side.
      if (!carriesUnits(carried)) continue;
      const toConstant = flows.constants.has(step.value);
      if (step.contraction && !constant && toConstant) reads.push({ value, axis, layout });
      const crossed = step.contraction && !constant && !toConstant && step.node.inputs.includes(step.value);
      contracted ||= crossed;
      queue.push({
        value: step.value,
        axis: step.axis,
        layout: carried,
        side: crossed && side === 0 ? 1 : side,
      });
    }
  }
  const values = new Set([...visits.values()].map(({ value }) => value));
  return { start, visits, values, reads, reasons: [...reasons], grains, contracted };
}
