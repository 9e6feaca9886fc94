import { type Block, carriesUnits, type Layout, layoutSize } from "../graph/layout.ts";
import { axisKey, type FlowMap } from "./flow-map.ts";
import { type Trace, traceWidth, type Visit } from "./trace.ts";

/** Which parameters make the second factors of a width that two activations are multiplied and summed over. */
export interface SecondFactors {
  /** For each parameter's axis, block by block of its layout (without fixed ones). */
  readonly blocksOf: ReadonlyMap<string, readonly boolean[]>;
  /** One trace for every such block, which does not cross the product. */
  readonly traces: readonly Trace[];
}

/**
 * Follows every parameter by itself to the products. Where it makes both factors, as fused queries, keys and values do,
 * its blocks are followed in ever smaller groups until each group makes one of them at most.
 */
export function secondFactors(
  flows: FlowMap,
  trace: Trace,
  parameters: ReadonlyMap<string, unknown>,
): SecondFactors {
  const blocksOf = new Map<string, readonly boolean[]>();
  const traces: Trace[] = [];
  if (trace.factors.size === 0) return { blocksOf, traces };
  for (const visit of trace.visits.values()) {
    if (!parameters.has(visit.value)) continue;
    const { blocks, made } = followGroups(flows, trace, visit);
    blocksOf.set(axisKey(visit.value, visit.axis), blocks);
    traces.push(...made);
  }
  return { blocksOf, traces };
}

function followGroups(
  flows: FlowMap,
  trace: Trace,
  visit: Visit,
): { readonly blocks: readonly boolean[]; readonly made: readonly Trace[] } {
  const { units } = trace.start;
  const count = visit.layout.filter((block) => carriesUnits([block])).length;
  const makes = (one: Trace, factor: "first" | "second") =>
    [...one.visits.keys()].some((key) => trace.factors.get(key) === factor);
  for (let groups = 1; groups <= count; groups++) {
    if (count % groups !== 0) continue;
    const alone = groupsAlone(visit.layout, units, count / groups).map((layout) =>
      traceWidth(flows, { ...visit, layout, units }, { across: false }),
    );
    if (alone.some((one) => (makes(one, "first") && makes(one, "second")) || one.reasons.length > 0))
      continue;
    const seconds = alone.map((one) => makes(one, "second"));
    return {
      blocks: seconds.flatMap((second) => Array.from({ length: count / groups }, () => second)),
      made: alone.filter((_, group) => seconds[group]),
    };
  }
  return { blocks: [], made: [] };
}

/** The layout with `size` of its blocks as the width and the others fixed, for each group of so many in turn. */
function groupsAlone(layout: Layout, units: number, size: number): readonly Layout[] {
  const own = layout.flatMap((block, at) => (carriesUnits([block]) ? [at] : []));
  return Array.from({ length: own.length / size }, (_, group) => {
    const kept = own.slice(group * size, (group + 1) * size);
    return layout.map(
      (block, at): Block => (kept.includes(at) ? block : { fixed: layoutSize([block], units) }),
    );
  });
}

/** The visits of several traces as one. */
export function visitsOf(traces: readonly Trace[]): ReadonlyMap<string, Visit> {
  return new Map(traces.flatMap((trace) => [...trace.visits]));
}
