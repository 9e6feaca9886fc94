import type { Graph, ValueType } from "../graph/model.ts";
import { newGraph } from "./index.ts";

/** The type of every value of a graph: inputs, parameters and all node outputs. */
export function inferTypes(graph: Graph): ReadonlyMap<string, ValueType> {
  const builder = newGraph();
  for (const value of graph.inputs) builder.input(value.name, value);
  for (const [name, tensor] of graph.parameters) builder.parameter(name, tensor);
  for (const node of graph.nodes) builder.add(node);
  const types = new Map<string, ValueType>();
  for (const name of builder.names()) types.set(name, builder.typeOf(name));
  return types;
}
