import { carriesUnits, mergeLayouts, sameLayout, unitLayout } from "../../graph/layout.ts";
import type { Placed } from "../../ops/rules/axis-rule.ts";
import type { WidthAxis } from "../plan/width.ts";
import { type AxisMap, axisKey, type Step } from "./axis-map.ts";
import type { Start } from "./trace.ts";

/** An axis that units reach; `at` if they do so only at one position of another axis of the value. */
export interface Reached extends WidthAxis {
  readonly at?: Omit<Placed, "layout">;
}

/** What the units of an axis reach. */
export interface Downstream {
  /** By {@link axisKey}. */
  readonly reached: ReadonlyMap<string, Reached>;
  /** Whether this is everything: no node mixes the units with others in a way that its rules do not describe. */
  readonly complete: boolean;
}

/** Follows an axis from inputs of nodes to outputs, never back. It ends at products that sum over it. */
export function downstreamOf(flows: AxisMap, { units, ...start }: Start): Downstream {
  const reached = new Map<string, Reached>();
  const queue: Reached[] = [start];
  let complete = true;
  for (let one of queue) {
    const key = axisKey(one.value, one.axis);
    const known = reached.get(key);
    if (known !== undefined) {
      const both = mergeReach(known, one, units);
      complete &&= both !== undefined;
      if (both === undefined || sameLayout(both.layout, known.layout)) continue;
      one = both;
    }
    reached.set(key, one);
    for (const step of flows.stepsFrom(one.value, one.axis)) {
      if (!step.node.outputs.includes(step.value)) continue;
      const next = pass(flows, one, step);
      if (next === undefined) complete = false;
      else queue.push(...next);
    }
  }
  return { reached, complete };
}

/** The union of both, as the two sides of a concatenation give. Undefined if they do not fit together. */
function mergeReach(a: Reached, b: Reached, units: number): Reached | undefined {
  if (a.at?.axis !== b.at?.axis || a.at?.position !== b.at?.position) return undefined;
  const layout = mergeLayouts(a.layout, b.layout, units);
  return layout && { ...a, layout };
}

/** One step further: at most one axis. Undefined if no rule describes it. */
function pass(flows: AxisMap, { value, layout, at }: Reached, step: Step): readonly Reached[] | undefined {
  const { axis, node } = step;
  const carried = step.carry(layout);
  if ("blocked" in carried) {
    const placed = at === undefined ? step.carryAt?.(layout) : undefined;
    if (placed === undefined) return undefined;
    const { layout: part, ...place } = placed;
    return carriesUnits(part) ? [{ value: step.value, axis, layout: part, at: place }] : [];
  }
  if (!carriesUnits(carried)) return [];
  const next = { value: step.value, axis, layout: carried };
  if (at === undefined) return [next];
  const pick = flows.picksOf(value, at.axis).find((one) => one.node === node && one.value === step.value);
  if (pick !== undefined) return pick.position === at.position ? [next] : [];
  const moved = flows.stepsFrom(value, at.axis).find((one) => {
    const alike = one.carry(unitLayout);
    return (
      one.node === node && one.value === step.value && !("blocked" in alike) && sameLayout(alike, unitLayout)
    );
  });
  return moved && [{ ...next, at: { axis: moved.axis, position: at.position } }];
}
