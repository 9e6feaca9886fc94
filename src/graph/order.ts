import { EspalierError } from "../tensor/errors.ts";
import type { Node, Subgraph } from "./model.ts";

/** The most nodes of a cycle that an error lists. */
const named = 8;

/**
 * Nodes in topological order: the same array if they already are, else each node after those it needs and
 * otherwise in the given order. A node needs its inputs and the outside values that its subgraphs read.
 * Throws `INVALID_MODEL` for a cycle.
 */
export function inOrder(nodes: readonly Node[]): readonly Node[] {
  const makers = new Map<string, number>();
  nodes.forEach((node, index) => {
    for (const name of node.outputs) if (name !== "" && !makers.has(name)) makers.set(name, index);
  });
  const needs = nodes.map((node) => makersOf(node, makers));
  if (needs.every((list, index) => list.every((maker) => maker < index))) return nodes;
  return search(nodes, needs);
}

/** Positions of the nodes that make what `node` reads. */
function makersOf(node: Node, makers: ReadonlyMap<string, number>): readonly number[] {
  return needsOf(node).flatMap((name) => makers.get(name) ?? []);
}

/** The values that a node reads: its inputs, and what its subgraphs use from the graph around them. */
export function needsOf(node: Node): readonly string[] {
  const graphs = Object.values(node.attributes).flatMap((attribute) =>
    attribute.kind === "graph" ? [...freeNames(attribute.value)] : [],
  );
  return graphs.length === 0 ? node.inputs : [...node.inputs, ...graphs];
}

/** Names that a subgraph uses and does not define. */
function freeNames(graph: Subgraph): Set<string> {
  const own = new Set([...graph.inputs.map((value) => value.name), ...graph.parameters.keys()]);
  for (const node of graph.nodes) for (const name of node.outputs) own.add(name);
  const free = new Set<string>();
  const use = (name: string) => {
    if (!own.has(name)) free.add(name);
  };
  for (const node of graph.nodes) {
    node.inputs.forEach(use);
    for (const attribute of Object.values(node.attributes)) {
      if (attribute.kind === "graph") freeNames(attribute.value).forEach(use);
    }
  }
  for (const value of graph.outputs) use(value.name);
  return free;
}

/** Depth first, with an explicit stack: a file may chain more nodes than calls can nest. */
function search(nodes: readonly Node[], needs: readonly (readonly number[])[]): readonly Node[] {
  const state = new Uint8Array(nodes.length);
  const [open, done] = [1, 2];
  const ordered: Node[] = [];
  const path: { node: number; next: number }[] = [];
  for (let root = 0; root < nodes.length; root++) {
    if (state[root] !== done) path.push({ node: root, next: 0 });
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      state[top.node] = open;
      const need = needs[top.node]?.[top.next++];
      if (need === undefined) {
        state[top.node] = done;
        ordered.push(nodes[top.node] as Node);
        path.pop();
      } else if (state[need] === open) {
        refuseCycle(
          path.slice(path.findIndex(({ node }) => node === need)).map(({ node }) => nodes[node] as Node),
        );
      } else if (state[need] !== done) path.push({ node: need, next: 0 });
    }
  }
  return ordered;
}

function refuseCycle(cycle: readonly Node[]): never {
  const names = cycle.slice(0, named).map((node) => `"${node.name}"`);
  throw new EspalierError("INVALID_MODEL", {
    thing: `node ${names[0]}`,
    rule: "must not need its own output",
    received: `${names.join(" needs ")}${cycle.length > named ? " needs …" : ""}`,
  });
}
