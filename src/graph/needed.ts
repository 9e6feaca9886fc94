import type { Graph } from "./model.ts";
import { needsOf } from "./order.ts";

/** The part of a graph that computes `names`: the nodes, parameters and inputs that they depend on, in the old order. */
export function neededFor(graph: Graph, names: Iterable<string>): Graph {
  const wanted = new Set(names);
  const nodes = [...graph.nodes].reverse().filter((node) => {
    if (!node.outputs.some((name) => wanted.has(name))) return false;
    for (const name of needsOf(node)) wanted.add(name);
    return true;
  });
  return {
    ...graph,
    inputs: graph.inputs.filter(({ name }) => wanted.has(name)),
    outputs: graph.outputs.filter(({ name }) => wanted.has(name)),
    nodes: nodes.reverse(),
    parameters: new Map([...graph.parameters].filter(([name]) => wanted.has(name))),
  };
}
