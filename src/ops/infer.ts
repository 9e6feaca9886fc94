import type { Graph, Node, ValueType } from "../graph/model.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { inferNode, isSupported } from "./index.ts";

/**
 * The type of every value of a graph whose type can be told: inputs, parameters and node outputs. What an operator
 * without rules makes, and what is made of that, has none. Throws `INVALID_MODEL` where a node's inputs do not fit.
 */
export function inferTypes(graph: Graph): Map<string, ValueType> {
  const types = new Map<string, ValueType>();
  for (const value of graph.inputs) types.set(value.name, { dtype: value.dtype, shape: value.shape });
  for (const [name, { dtype, dims }] of graph.parameters) types.set(name, { dtype, shape: dims });
  for (const node of graph.nodes) inferInto(types, node, graph.parameters);
  return types;
}

/** Adds the types of a node's outputs, where they can be told. */
export function inferInto(
  types: Map<string, ValueType>,
  node: Node,
  parameters: ReadonlyMap<string, Tensor>,
): void {
  if (!isInferable(types, node)) return;
  const inferred = inferNode(
    node,
    (name) => types.get(name),
    (name) => parameters.get(name),
  );
  node.outputs.forEach((name, index) => {
    const type = inferred[index];
    if (name !== "" && type !== undefined) types.set(name, type);
  });
}

function isInferable(types: ReadonlyMap<string, ValueType>, node: Node): boolean {
  return isSupported(node) && node.inputs.every((name) => name === "" || types.has(name));
}
