import type { Graph, Model, Node } from "../graph/model.ts";
import { needsOf } from "../graph/order.ts";
import { EspalierError } from "../tensor/errors.ts";
import { float32, type Tensor } from "../tensor/tensor.ts";
import { isSupported, operatorOf } from "./index.ts";
import { Call } from "./operator.ts";

/**
 * The same model with every constant as a parameter, and every reader with a vector of its own.
 *
 * Exporters write constants as nodes, and store vectors that happen to be equal (the zero biases of a fresh model) once.
 * Requires a valid model. Ensures the same function and value names; nodes that only named a constant are gone. Matrices
 * that several nodes read stay shared: they are tied on purpose.
 */
export function ownParameters(model: Model): Model {
  const graph = separateVectors(liftConstants(model.graph));
  return graph === model.graph ? model : { ...model, graph };
}

/** Makes parameters of the outputs of nodes that always give the same tensor. */
function liftConstants(graph: Graph): Graph {
  const parameters = new Map(graph.parameters);
  const results = new Set(graph.outputs.map(({ name }) => name));
  const folded = new Set<string>();
  const nodes = graph.nodes.filter((node) => {
    const tensor = results.has(node.outputs[0] ?? "") ? undefined : constantOf(node, parameters);
    if (tensor === undefined) return true;
    parameters.set(node.outputs[0] as string, tensor);
    for (const name of node.inputs) folded.add(name);
    return false;
  });
  if (nodes.length === graph.nodes.length) return graph;
  // What only led to such a tensor is gone with its node.
  const read = new Set(nodes.flatMap(needsOf));
  for (const name of folded) if (!read.has(name) && !results.has(name)) parameters.delete(name);
  return { ...graph, nodes, parameters };
}

function constantOf(node: Node, parameters: ReadonlyMap<string, Tensor>): Tensor | undefined {
  if (!isSupported(node)) return undefined;
  const call = new Call(
    node,
    () => undefined,
    (name) => parameters.get(name),
  );
  try {
    return operatorOf(node).constant?.(call);
  } catch (error) {
    // Whoever needs its type says what is wrong with it.
    if (error instanceof EspalierError) return undefined;
    throw error;
  }
}

/** Gives every node that reads a shared float vector a copy, named after what the node makes. */
function separateVectors(graph: Graph): Graph {
  const readers = new Map<string, number>();
  for (const name of graph.nodes.flatMap((node) => node.inputs))
    readers.set(name, (readers.get(name) ?? 0) + 1);
  const results = new Set(graph.outputs.map(({ name }) => name));
  const parameters = new Map(graph.parameters);
  const seen = new Set<string>();
  let changed = false;
  const nodes = graph.nodes.map((node) => {
    const inputs = node.inputs.map((name) => {
      const tensor = graph.parameters.get(name);
      const shared = (readers.get(name) ?? 0) > 1 || results.has(name);
      if (tensor?.dtype !== "float32" || !isVector(tensor) || !shared) return name;
      if (!seen.has(name) && !results.has(name)) {
        seen.add(name);
        return name;
      }
      changed = true;
      const copy = freeName(`${node.outputs[0]}.${name.split(/[./]/).at(-1)}`, parameters);
      parameters.set(copy, float32(tensor.dims, tensor.data.slice() as Float32Array));
      return copy;
    });
    return { ...node, inputs };
  });
  return changed ? { ...graph, nodes, parameters } : graph;
}

/** One axis that is longer than 1: a bias, a scale, in whatever shape it broadcasts. */
function isVector(tensor: Tensor): boolean {
  return tensor.dims.filter((size) => size > 1).length === 1;
}

function freeName(name: string, taken: ReadonlyMap<string, unknown>): string {
  let free = name;
  for (let count = 2; taken.has(free); count++) free = `${name}.${count}`;
  return free;
}
