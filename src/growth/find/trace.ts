import { carriesUnits, type Layout, mergeLayouts, sameLayout } from "../../graph/layout.ts";
import type { Grain } from "../../ops/rules/axis-rule.ts";
import type { WidthAxis } from "../plan/width.ts";
import { type AxisMap, axisKey, type NodeFlow } from "./axis-map.ts";

/** Where a trace starts: an axis cut into units. */
export interface Start {
  readonly value: string;
  readonly axis: number;
  readonly layout: Layout;
  readonly units: number;
}

/** An axis that a width is on. */
export type Visit = WidthAxis;

/** Another cut of an axis, which would pass where a trace's does not. */
export type Cut = Start & Pick<Grain, "otherwise">;

/** Everything that must change size together with the axis where a trace started. */
export interface Trace {
  readonly start: Start;
  /** By {@link axisKey}, nearest first. */
  readonly visits: ReadonlyMap<string, Visit>;
  /** The values whose axes they are. */
  readonly values: ReadonlySet<string>;
  /** The nodes that make or read one of them, in order. */
  readonly nodes: readonly NodeFlow[];
  /** Activations that weights multiply and sum over the width. */
  readonly reads: readonly WidthAxis[];
  /** Why the width cannot grow. */
  readonly reasons: readonly string[];
  /** Whether each of them offers another cut. */
  readonly onlyCut: boolean;
  readonly cuts: readonly Cut[];
  /** If two activations are multiplied and summed over it: which is the first and which the second (keys). */
  readonly factors: ReadonlyMap<string, "first" | "second">;
}

/** The result of following the ties of one axis. */
interface Outcome {
  readonly reasons: string[];
  readonly cuts: Cut[];
  readonly next: Visit[];
  onlyCut: boolean;
  read: boolean;
  factor: "first" | "second" | undefined;
}

/** How far a trace may go. */
export interface Reach {
  /** To inputs or outputs of the model, which then grow too. Default: neither. */
  readonly border?: "input" | "output";
}

/** Follows the ties from an axis to everything that must change with it. */
export function traceWidth(flows: AxisMap, start: Start, reach: Reach = {}): Trace {
  const visits = new Map<string, Visit>();
  const outcomes = new Map<string, Outcome>();
  const conflicts: string[] = [];
  const queue: Visit[] = [{ value: start.value, axis: start.axis, layout: start.layout }];
  for (let at = 0; at < queue.length; at++) {
    let visit = queue[at] as Visit;
    const key = axisKey(visit.value, visit.axis);
    const known = visits.get(key);
    if (known !== undefined) {
      if (sameLayout(known.layout, visit.layout)) continue;
      // Both branches of a concatenation may carry the width: together they are on more of the axis than each alone.
      const merged = mergeLayouts(known.layout, visit.layout, start.units);
      if (merged === undefined) {
        conflicts.push(`"${visit.value}" would have to grow in two different ways on axis ${visit.axis}`);
        continue;
      }
      if (sameLayout(merged, known.layout)) continue;
      visit = { ...known, layout: merged };
    }
    visits.set(key, visit);
    const outcome = follow(flows, visit, reach);
    outcomes.set(key, outcome);
    queue.push(...outcome.next);
  }
  const found = [...visits.keys()].map((key) => [key, outcomes.get(key) as Outcome] as const);
  const values = new Set([...visits.values()].map(({ value }) => value));
  return {
    start,
    visits,
    values,
    nodes: flows.nodesOn(values),
    reads: found.flatMap(([key, { read }]) => (read ? [visits.get(key) as Visit] : [])),
    reasons: [...new Set([...conflicts, ...found.flatMap(([, { reasons }]) => reasons)])],
    onlyCut: conflicts.length === 0 && found.every(([, outcome]) => outcome.onlyCut),
    cuts: found.flatMap(([, { cuts }]) => cuts),
    factors: new Map(found.flatMap(([key, { factor }]) => (factor === undefined ? [] : [[key, factor]]))),
  };
}

/** Takes one step along every tie of an axis. */
function follow(flows: AxisMap, { value, axis, layout }: Visit, { border: open }: Reach): Outcome {
  const outcome: Outcome = { reasons: [], cuts: [], next: [], onlyCut: true, read: false, factor: undefined };
  const border = flows.borderAt(value, axis);
  if (border !== undefined && (open === undefined || !border.startsWith(open))) {
    outcome.reasons.push(`it reaches the ${border}`);
  }
  outcome.reasons.push(...flows.blocksAt(value, axis));
  outcome.onlyCut = outcome.reasons.length === 0;
  if (flows.blocksAt(value, axis).length > 0) return outcome;
  const constant = flows.constants.has(value);
  for (const step of flows.stepsFrom(value, axis)) {
    const carried = step.carry(layout);
    if ("blocked" in carried) {
      outcome.reasons.push(`${step.node.op} "${step.node.name || step.node.outputs[0]}": ${carried.blocked}`);
      outcome.onlyCut &&= (carried.instead ?? []).length > 0;
      outcome.cuts.push(...(carried.instead ?? []).map((grain: Grain) => ({ ...grain, value, axis })));
      continue;
    }
    // A concatenation or a fold may show that the width does not reach this side.
    if (!carriesUnits(carried)) continue;
    const toConstant = flows.constants.has(step.value);
    outcome.read ||= step.contraction && !constant && toConstant;
    const factor = step.contraction && !constant && !toConstant && step.node.inputs.includes(step.value);
    if (factor) {
      const behind = step.node.inputs.indexOf(value) > step.node.inputs.indexOf(step.value);
      outcome.factor = behind ? "second" : "first";
    }
    outcome.next.push({ value: step.value, axis: step.axis, layout: carried });
  }
  return outcome;
}
