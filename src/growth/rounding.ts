import type { GraphBuilder } from "../graph/builder.ts";
import type { Node } from "../graph/model.ts";
import { operatorOf } from "../ops/index.ts";
import { GraphCall, type RoundingCall } from "../ops/operator.ts";

/**
 * Running error analysis: writes, behind every node, a bound on how far its float32 result may lie from the exact
 * one, and returns the bound of `output` (undefined where it is exact). Two correctly rounded runs of the same
 * function, such as before and after growth, differ by at most twice that.
 */
export function emitRoundingBound(graph: GraphBuilder, output: string): string | undefined {
  return emitRoundingBounds(graph).get(output);
}

/** As {@link emitRoundingBound}, of every value that is not exact. */
export function emitRoundingBounds(graph: GraphBuilder): ReadonlyMap<string, string> {
  const bounds = new Map<string, string>();
  for (const node of [...graph.nodes]) {
    const inputs = node.inputs.map((name) => bounds.get(name));
    const result = operatorOf(node).rounding(new NodeRounding(graph, node, inputs));
    const list = typeof result === "string" ? [result] : (result ?? []);
    list.forEach((bound, index) => {
      const name = node.outputs[index] ?? "";
      if (bound !== undefined && name !== "") bounds.set(name, bound);
    });
  }
  return bounds;
}

class NodeRounding extends GraphCall implements RoundingCall {
  readonly inputBounds: readonly (string | undefined)[];

  constructor(graph: GraphBuilder, node: Node, inputBounds: readonly (string | undefined)[]) {
    super(graph, node);
    this.inputBounds = inputBounds;
  }
}
