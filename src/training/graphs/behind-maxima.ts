import type { Graph, Node } from "../../graph/model.ts";
import { needsOf } from "../../graph/order.ts";
import { rulesOrNone } from "../../ops/index.ts";

/**
 * The nodes of a graph, with each elementwise node that commutes with a maximum moved after the pool that is its only
 * reader: Relu → MaxPool becomes MaxPool → Relu. There it processes only a part of the elements, in the forward and above all
 * in the backward pass. Outputs and gradients stay the same, bit for bit. Values named in `kept` are computed as before.
 */
export function moveBehindMaxima(graph: Graph, kept: readonly string[]): readonly Node[] {
  const reads = [...kept, ...graph.nodes.flatMap(needsOf)];
  const readers = new Map<string, number>();
  for (const name of reads) readers.set(name, (readers.get(name) ?? 0) + 1);
  const makers = new Map(graph.nodes.map((node) => [node.outputs[0] as string, node]));
  const replaced = new Map<Node, readonly Node[]>();
  for (const pool of graph.nodes) {
    const between = pool.inputs[0] as string;
    const map = makers.get(between);
    if (map === undefined || readers.get(between) !== 1 || !commute(map, pool)) continue;
    replaced.set(map, []);
    // The name between the two may now mean another value: nothing else reads it.
    replaced.set(pool, [
      { ...pool, inputs: map.inputs, outputs: [between] },
      { ...map, inputs: [between], outputs: pool.outputs },
    ]);
  }
  return graph.nodes.flatMap((node) => replaced.get(node) ?? [node]);
}

function commute(map: Node, pool: Node): boolean {
  // Positions of maxima would distinguish elements that the map makes equal.
  const positions = (pool.outputs[1] ?? "") !== "";
  return rulesOrNone(map).commutesWithMaximum === true && rulesOrNone(pool).maximum === true && !positions;
}
