import { EspalierError } from "../tensor/errors.ts";
import type { Model, Node, Subgraph } from "./model.ts";
import { inOrder } from "./order.ts";

/**
 * Checks what every other part takes for granted about a model: an operator set for every domain in use, each
 * value defined once and before its use (nodes in topological order, so without cycles, seen from subgraphs too),
 * and outputs that exist. Throws `INVALID_MODEL`. Types and attributes are the operators' own business.
 */
export function validateModel(model: Model): void {
  for (const [domain, version] of model.opsets) {
    if (!Number.isSafeInteger(version) || version < 1) {
      throw new EspalierError("INVALID_MODEL", {
        thing: `opset of domain "${domain}"`,
        rule: "must be a positive integer",
        received: version,
      });
    }
  }
  if (model.opsets.size === 0) {
    throw new EspalierError("INVALID_MODEL", {
      thing: `model "${model.graph.name}"`,
      rule: "needs a version of the operator sets that it uses",
      received: "none",
      remedy: 'Add an opset import for domain "".',
    });
  }
  validateGraph(model.graph, model.opsets, []);
}

/** `outer`: the names that are visible from the graphs around this one, scope by scope. */
function validateGraph(
  graph: Subgraph,
  opsets: ReadonlyMap<string, number>,
  outer: readonly ReadonlySet<string>[],
): void {
  const own = new Set<string>();
  const scopes = [...outer, own];
  const isDefined = (name: string) => scopes.some((scope) => scope.has(name));
  const define = (name: string, by: string) => {
    if (name === "") throw new EspalierError("INVALID_MODEL", { thing: by, rule: "needs a name" });
    if (isDefined(name)) {
      throw new EspalierError("INVALID_MODEL", {
        thing: `value "${name}"`,
        rule: "must be defined once",
        received: `a second definition, ${by}`,
      });
    }
    own.add(name);
  };
  for (const { name } of graph.inputs) define(name, "an input");
  for (const name of graph.parameters.keys()) define(name, "a parameter");
  for (const node of graph.nodes) {
    const thing = `node "${node.name}" (${node.op})`;
    if (!opsets.has(node.domain === "ai.onnx" ? "" : node.domain)) {
      throw new EspalierError("INVALID_MODEL", {
        thing,
        rule: "needs an opset import for its domain",
        received: node.domain,
      });
    }
    for (const name of node.inputs) {
      if (name !== "" && !isDefined(name)) refuseUndefined(thing, name, graph.nodes);
    }
    for (const attribute of Object.values(node.attributes)) {
      if (attribute.kind === "graph") validateGraph(attribute.value, opsets, scopes);
    }
    for (const name of node.outputs) if (name !== "") define(name, `an output of ${thing}`);
  }
  const outputs = new Set<string>();
  for (const { name } of graph.outputs) {
    const thing = `output "${name}" of graph "${graph.name}"`;
    if (outputs.has(name)) throw new EspalierError("INVALID_MODEL", { thing, rule: "is listed twice" });
    if (!isDefined(name)) {
      throw new EspalierError("INVALID_MODEL", { thing, rule: "is not computed by the graph" });
    }
    outputs.add(name);
  }
}

function refuseUndefined(thing: string, name: string, nodes: readonly Node[]): never {
  const later = nodes.find((node) => node.outputs.includes(name));
  // Throws if sorting would not help.
  if (later !== undefined) inOrder(nodes);
  throw new EspalierError("INVALID_MODEL", {
    thing,
    rule:
      later === undefined
        ? "every input must be a graph input, a parameter or an earlier node's output"
        : `nodes must be in topological order, but this one comes before node "${later.name}", which it needs`,
    received: name,
    ...(later === undefined ? {} : { remedy: "Sort the nodes topologically." }),
  });
}
