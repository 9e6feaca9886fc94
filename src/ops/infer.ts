import type { Graph, Node, ValueType } from "../graph/model.ts";
import { EspalierError } from "../tensor/errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { inferNode, isSupported } from "./index.ts";

/** What a file states about the types of values. */
export type Stated = Pick<ReadonlyMap<string, ValueType>, "get">;

/** What a model states about the types of its outputs and of values whose types no rule gives. */
export function statedTypes({ outputs, stated = new Map() }: Pick<Graph, "outputs" | "stated">): Stated {
  const declared = new Map(outputs.map(({ name, dtype, shape }) => [name, { dtype, shape }]));
  return { get: (name) => stated.get(name) ?? declared.get(name) };
}

/** The types of a graph's values, and the nodes that their operators' rules cover. */
export interface Inferred {
  readonly types: Map<string, ValueType>;
  readonly ruled: ReadonlySet<Node>;
}

/** As {@link inferGraph}, but only the types. */
export function inferTypes(graph: Graph): Map<string, ValueType> {
  return inferGraph(graph).types;
}

/**
 * The type of every value of a graph whose type can be inferred: inputs, parameters and node outputs. The outputs of a
 * node without rules, or in a form that they do not cover, have the types that the file states. Throws
 * `INVALID_MODEL` if a node's inputs do not fit.
 */
export function inferGraph(graph: Graph): Inferred {
  const types = typesAround(graph.inputs, graph.parameters);
  const stated = statedTypes(graph);
  const ruled = new Set<Node>();
  for (const node of graph.nodes) {
    if (inferInto(types, node, graph.parameters, stated)) ruled.add(node);
  }
  return { types, ruled };
}

/** The types of a graph's inputs and parameters. */
export function typesAround(
  inputs: Graph["inputs"],
  parameters: Graph["parameters"],
): Map<string, ValueType> {
  const types = new Map<string, ValueType>();
  for (const { name, dtype, shape } of inputs) types.set(name, { dtype, shape });
  for (const [name, { dtype, dims }] of parameters) types.set(name, { dtype, shape: dims });
  return types;
}

/** Adds the types of a node's outputs that can be inferred. Returns whether the operator has rules for this call. */
export function inferInto(
  types: Map<string, ValueType>,
  node: Node,
  parameters: ReadonlyMap<string, Tensor>,
  stated: Stated,
): boolean {
  const inferred = inferWhereRuled(types, node, parameters);
  node.outputs.forEach((name, index) => {
    if (name === "") return;
    const type = inferred?.[index] ?? stated.get(name);
    if (type !== undefined) types.set(name, type);
  });
  return inferred !== undefined && isSupported(node);
}

const unsupported: ReadonlySet<string> = new Set(["UNSUPPORTED_OPERATOR", "UNSUPPORTED_TYPE"]);

function inferWhereRuled(
  types: ReadonlyMap<string, ValueType>,
  node: Node,
  parameters: ReadonlyMap<string, Tensor>,
): readonly ValueType[] | undefined {
  if (!node.inputs.every((name) => name === "" || types.has(name))) return undefined;
  try {
    return inferNode(
      node,
      (name) => types.get(name),
      (name) => parameters.get(name),
    );
  } catch (error) {
    if (error instanceof EspalierError && unsupported.has(error.code)) return undefined;
    throw error;
  }
}
