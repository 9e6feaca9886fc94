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
 * Follows every block of every parameter by itself to the products. Fused queries, keys and values are one parameter of
 * three blocks, of which the keys alone must hold zero.
 */
export function secondFactors(
  flows: FlowMap,
  trace: Trace,
  parameters: ReadonlyMap<string, unknown>,
): SecondFactors {
  const blocksOf = new Map<string, readonly boolean[]>();
  const traces: Trace[] = [];
  if (trace.secondFactors.size === 0) return { blocksOf, traces };
  for (const visit of trace.visits.values()) {
    if (!parameters.has(visit.value)) continue;
    const alone = blocksAlone(visit.layout, trace.start.units).map((layout) =>
      traceWidth(flows, { ...visit, layout, units: trace.start.units }, false),
    );
    const seconds = alone.map((one) => [...one.visits.keys()].some((key) => trace.secondFactors.has(key)));
    blocksOf.set(axisKey(visit.value, visit.axis), seconds);
    traces.push(...alone.filter((_, block) => seconds[block]));
  }
  return { blocksOf, traces };
}

/** The layout with one of its blocks as the width and the others fixed, for each block in turn. */
function blocksAlone(layout: Layout, units: number): readonly Layout[] {
  const fix = (block: Block): Block => ({ fixed: layoutSize([block], units) });
  return layout.flatMap((block, at) =>
    carriesUnits([block]) ? [layout.map((other, index) => (index === at ? block : fix(other)))] : [],
  );
}

/** The visits of several traces as one. */
export function visitsOf(traces: readonly Trace[]): ReadonlyMap<string, Visit> {
  return new Map(traces.flatMap((trace) => [...trace.visits]));
}
