import { type Block, carriesUnits, type Layout, layoutSize } from "../../graph/layout.ts";
import { type AxisMap, axisKey } from "./axis-map.ts";
import { type Downstream, downstreamOf, type Reached } from "./downstream.ts";
import type { Trace, Visit } from "./trace.ts";

/** Which parameters make the second factor, for a width over which two activations are multiplied and summed. */
export interface AttentionKeys {
  /** For each parameter's axis, block by block of its layout (without fixed ones). */
  readonly blocksOf: ReadonlyMap<string, readonly boolean[]>;
  /** What each such block reaches. */
  readonly made: readonly Downstream[];
}

/**
 * Follows every parameter separately to the products. If it makes both factors, as fused queries, keys and values do,
 * its blocks are followed in ever smaller groups until each group makes at most one of them.
 */
export function attentionKeys(
  flows: AxisMap,
  trace: Trace,
  parameters: ReadonlyMap<string, unknown>,
): AttentionKeys {
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
  flows: AxisMap,
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
  for (const groupOf of groupings(count)) {
    const groups = Math.max(...Array.from({ length: count }, (_, block) => groupOf(block))) + 1;
    const alone = Array.from({ length: groups }, (_, group) =>
      downstreamOf(flows, {
        ...visit,
        layout: blocksAlone(visit.layout, units, (block) => groupOf(block) === group),
        units,
      }),
    );
    if (!alone.every(tells)) continue;
    const seconds = alone.map((one) => makes(one, "second"));
    return {
      blocks: Array.from({ length: count }, (_, block) => seconds[groupOf(block)] === true),
      made: alone.filter((_, group) => seconds[group]),
    };
  }
  return { blocks: [], made: [] };
}

/** The ways to divide `count` blocks into groups of equal size, large groups first: neighbors, or every n-th block. */
function groupings(count: number): readonly ((block: number) => number)[] {
  const divisors = Array.from({ length: count }, (_, at) => at + 1).filter((groups) => count % groups === 0);
  return divisors.flatMap((groups) => {
    const neighbors = (block: number) => Math.floor((block * groups) / count);
    const strided = (block: number) => block % groups;
    return groups === 1 || groups === count ? [neighbors] : [neighbors, strided];
  });
}

/** The layout with the blocks that `isKept` picks as the width, and the others fixed. */
function blocksAlone(layout: Layout, units: number, isKept: (block: number) => boolean): Layout {
  let own = 0;
  return layout.map(
    (block): Block =>
      !carriesUnits([block]) || isKept(own++) ? block : { fixed: layoutSize([block], units) },
  );
}

/** What several parameters reach, merged. */
export function reachedBy(made: readonly Downstream[]): ReadonlyMap<string, Reached> {
  return new Map(made.flatMap(({ reached }) => [...reached]));
}
