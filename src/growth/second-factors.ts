import { type Block, carriesUnits, type Layout, layoutSize } from "../graph/layout.ts";
import { type Downstream, downstreamOf, type Reached } from "./downstream.ts";
import { axisKey, type FlowMap } from "./flow-map.ts";
import type { Trace, Visit } from "./trace.ts";

/** Which parameters make the second factors of a width that two activations are multiplied and summed over. */
export interface SecondFactors {
  /** For each parameter's axis, block by block of its layout (without fixed ones). */
  readonly blocksOf: ReadonlyMap<string, readonly boolean[]>;
  /** What is made of every such block. */
  readonly made: readonly Downstream[];
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
  const made: Downstream[] = [];
  if (trace.factors.size === 0) return { blocksOf, made };
  for (const visit of trace.visits.values()) {
    if (!parameters.has(visit.value)) continue;
    const groups = followGroups(flows, trace, visit);
    blocksOf.set(axisKey(visit.value, visit.axis), groups.blocks);
    made.push(...groups.made);
  }
  return { blocksOf, made };
}

function followGroups(
  flows: FlowMap,
  trace: Trace,
  visit: Visit,
): { readonly blocks: readonly boolean[]; readonly made: readonly Downstream[] } {
  const { units } = trace.start;
  const count = visit.layout.filter((block) => carriesUnits([block])).length;
  const makes = ({ reached }: Downstream, factor: "first" | "second") =>
    [...reached.keys()].some((key) => trace.factors.get(key) === factor);
  // A factor that is reached at one position alone, not as a whole, would have to be both.
  const tells = (one: Downstream) =>
    one.complete &&
    !(makes(one, "first") && makes(one, "second")) &&
    [...one.reached].every(([key, { at }]) => at === undefined || !trace.factors.has(key));
  for (let groups = 1; groups <= count; groups++) {
    if (count % groups !== 0) continue;
    const alone = groupsAlone(visit.layout, units, count / groups).map((layout) =>
      downstreamOf(flows, { ...visit, layout, units }),
    );
    if (!alone.every(tells)) continue;
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

/** What several parameters make, as one. */
export function reachedBy(made: readonly Downstream[]): ReadonlyMap<string, Reached> {
  return new Map(made.flatMap(({ reached }) => [...reached]));
}
