import type { Graph, Model } from "../../../graph/model.ts";
import { neededFor } from "../../../graph/needed.ts";
import { Folding } from "./folding.ts";
import { rewrites } from "./rewrites.ts";

/** A model whose weights were small integers, and what became of them. */
export interface FoldedModel {
  readonly model: Model;
  /** Integer tensors that are float32 now. */
  readonly tensors: number;
  /** Places at which activations are no longer rounded to integers, so that outputs change by that rounding. */
  readonly activations: number;
}

/**
 * The same model with float32 weights instead of quantized ones: of DequantizeLinear, of Cast and a multiplication by
 * constants, of MatMulInteger and ConvInteger, and of ONNX Runtime's dynamically quantized LSTM and MatMul.
 * If activations were quantized too, they stay real numbers.
 */
export function foldIntegers(model: Model): FoldedModel {
  const folding = new Folding(model.graph);
  for (const node of model.graph.nodes) {
    const now = folding.renamed(node);
    const rule = rewrites[`${node.domain === "ai.onnx" ? "" : node.domain}:${node.op}`];
    if (rule?.(folding, now) !== true) folding.keep(now);
  }
  if (folding.tensors === 0 && folding.activations === 0) return { model, tensors: 0, activations: 0 };
  const { tensors, activations } = folding;
  return { model: { ...model, graph: named(pruned(folding.graph()), folding) }, tensors, activations };
}

/** The graph without nodes and parameters that nothing reads any more; inputs stay. */
function pruned(graph: Graph): Graph {
  const needed = neededFor(
    graph,
    graph.outputs.map(({ name }) => name),
  );
  return { ...needed, inputs: graph.inputs };
}

/** Weights under the names of the integers that they were, without the suffixes that quantizers add. */
function named(graph: Graph, folding: Folding): Graph {
  const used = new Set([...graph.parameters.keys(), ...graph.nodes.flatMap(({ outputs }) => outputs)]);
  for (const { name } of graph.inputs) used.add(name);
  const names = new Map<string, string>();
  for (const name of graph.parameters.keys()) {
    const origin = folding.originOf(name);
    const free = [origin?.replace(/_quantized$/, ""), origin].find((one) => one && !used.has(one));
    if (free === undefined) continue;
    used.add(free);
    names.set(name, free);
  }
  const nameOf = (name: string) => names.get(name) ?? name;
  return {
    ...graph,
    nodes: graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map(nameOf) })),
    parameters: new Map([...graph.parameters].map(([name, tensor]) => [nameOf(name), tensor])),
  };
}
