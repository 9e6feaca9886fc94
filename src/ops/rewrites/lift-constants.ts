import { noteLifted } from "../../graph/lifted.ts";
import type { Graph, Node } from "../../graph/model.ts";
import { needsOf } from "../../graph/order.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { isSupported, operatorOf } from "../index.ts";
import { Call } from "../rules/operator.ts";

/** Turns outputs that are always the same tensor into parameters, and notes the real ones made from no parameter. */
export function liftConstants(graph: Graph): Graph {
  const parameters = new Map(graph.parameters);
  const results = new Set(graph.outputs.map(({ name }) => name));
  const folded = new Set<string>();
  const lifted = new Set<string>();
  const isOwn = (name: string) =>
    graph.parameters.has(name) && isFloat((graph.parameters.get(name) as Tensor).dtype);
  const nodes = graph.nodes.filter((node) => {
    const [name = ""] = node.outputs;
    const tensor = results.has(name) ? undefined : constantOf(node, parameters);
    if (tensor === undefined) return true;
    parameters.set(name, tensor);
    for (const input of node.inputs) folded.add(input);
    const constants = node.inputs.every((input) => !isOwn(input) && isLifted(input));
    if (isFloat(tensor.dtype) && constants) lifted.add(name);
    return false;
  });
  function isLifted(name: string): boolean {
    const tensor = parameters.get(name);
    return tensor === undefined || !isFloat(tensor.dtype) || lifted.has(name);
  }
  if (nodes.length === graph.nodes.length) return graph;
  // Parameters that only led to such a tensor go with its node.
  const read = new Set(nodes.flatMap(needsOf));
  for (const name of folded) if (!read.has(name) && !results.has(name)) parameters.delete(name);
  const kept = [...lifted].filter((name) => parameters.has(name));
  return {
    ...graph,
    nodes,
    parameters,
    ...(kept.length === 0 ? {} : { parameterNotes: noteLifted(graph, kept) }),
  };
}

/** The tensor that output 0 of a node always is, if it is known. */
export function constantOf(node: Node, parameters: ReadonlyMap<string, Tensor>): Tensor | undefined {
  if (!isSupported(node)) return undefined;
  const call = new Call(
    node,
    () => undefined,
    (name) => parameters.get(name),
  );
  try {
    return operatorOf(node).constant?.(call);
  } catch (error) {
    // The first reader that needs its type says what is wrong with it.
    if (error instanceof EspalierError) return undefined;
    throw error;
  }
}
