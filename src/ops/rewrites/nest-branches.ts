import type { Attribute, Graph, Node, Subgraph } from "../../graph/model.ts";
import { neededFor } from "../../graph/needed.ts";
import { needsOf } from "../../graph/order.ts";
import { UniqueNames } from "../../graph/unique-names.ts";
import { chooseName } from "../logic/choose.ts";

/** Where a node is: the branches around it, outermost first, as `node index` + `branch`. */
type Place = readonly string[];

const root: Place = [];
const isChoice = ({ op, domain }: Node) => op === chooseName && domain === "";

/**
 * The same graph in ONNX's form: an If for every Choose, with the nodes that only one of its branches needs in that
 * branch, so that they run only if it is taken. The inverse of {@link import("./inline-branches.ts").inlineBranches}.
 */
export function nestBranches(whole: Graph): Graph {
  if (!whole.nodes.some(isChoice)) return whole;
  // Nodes that nothing needs belong to no branch, and would make their inputs run.
  const { nodes } = neededFor(
    whole,
    whole.outputs.map(({ name }) => name),
  );
  const graph: Graph = { ...whole, nodes };
  const places = placesIn(graph);
  const names = new UniqueNames([
    ...graph.inputs.map(({ name }) => name),
    ...graph.parameters.keys(),
    ...graph.nodes.flatMap(({ name, outputs }) => [name, ...outputs]),
  ]);
  const within = new Map<string, number[]>();
  places.forEach((place, index) => {
    const key = place.join("/");
    within.set(key, [...(within.get(key) ?? []), index]);
  });
  const nodesIn = (place: Place): readonly Node[] =>
    (within.get(place.join("/")) ?? []).map((index) => {
      const node = graph.nodes[index] as Node;
      if (!isChoice(node)) return node;
      const count = node.outputs.length;
      const body = (branch: 0 | 1): Attribute => ({
        kind: "graph",
        value: bodyOf(nodesIn([...place, `${index}.${branch}`]), {
          name: `${node.name}.${branch === 0 ? "then" : "else"}`,
          results: node.inputs.slice(1 + branch * count, 1 + (branch + 1) * count),
          names,
        }),
      });
      const { taken: _, ...others } = node.attributes;
      return {
        ...node,
        op: "If",
        inputs: node.inputs.slice(0, 1),
        attributes: { ...others, then_branch: body(0), else_branch: body(1) },
      };
    });
  return { ...graph, nodes: nodesIn(root) };
}

/** For every node, the innermost branch that contains all its readers. */
function placesIn({ nodes, outputs }: Graph): readonly Place[] {
  const usedAt = new Map<string, Place>(outputs.map(({ name }) => [name, root]));
  const use = (name: string, place: Place) => {
    const other = usedAt.get(name);
    usedAt.set(name, other === undefined ? place : common(other, place));
  };
  const places: Place[] = [];
  for (let index = nodes.length - 1; index >= 0; index--) {
    const node = nodes[index] as Node;
    const own = node.outputs.flatMap((name) => {
      const place = usedAt.get(name);
      return place === undefined ? [] : [place];
    });
    const place = own.length === 0 ? root : own.reduce(common);
    places[index] = place;
    if (!isChoice(node)) {
      for (const name of needsOf(node)) use(name, place);
      continue;
    }
    node.inputs.forEach((name, at) => {
      const branch = at > node.outputs.length ? 1 : 0;
      use(name, at === 0 ? place : [...place, `${index}.${branch}`]);
    });
  }
  return places;
}

function common(a: Place, b: Place): Place {
  const end = a.findIndex((step, at) => step !== b[at]);
  return end < 0 ? a : a.slice(0, end);
}

/** A body makes its results itself, each under its own name: a value from outside goes through an Identity. */
function bodyOf(
  nodes: readonly Node[],
  { name, results, names }: { name: string; results: readonly string[]; names: UniqueNames },
): Subgraph {
  const made = new Set(nodes.flatMap(({ outputs }) => outputs));
  const handedOn: Node[] = [];
  const outputs = results.map((result) => {
    if (made.delete(result)) return { name: result };
    const own = names.take(`${result}.handed`);
    const attributes = {};
    handedOn.push({ name: own, op: "Identity", domain: "", inputs: [result], outputs: [own], attributes });
    return { name: own };
  });
  return { name, inputs: [], outputs, nodes: [...nodes, ...handedOn], parameters: new Map() };
}
