import type { GraphBuilder } from "../../graph/builder.ts";
import { rulesOrNone } from "../../ops/index.ts";
import { sweepBounds } from "../../ops/rules/sweep.ts";

/**
 * Running error analysis: computes, after every node, a bound on how far its float32 result may be from the exact one,
 * and returns the bounds by value, for every value that is not exact. Two correctly rounded runs of the same function,
 * such as before and after growth, differ by at most twice that.
 */
export function emitRoundingBounds(graph: GraphBuilder): ReadonlyMap<string, string> {
  const bounds = new Map<string, string>();
  sweepBounds(graph, [...graph.nodes], bounds, rulesOrNone);
  return bounds;
}
