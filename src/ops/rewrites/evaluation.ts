import type { Model } from "../../graph/model.ts";
import { rulesOrNone } from "../index.ts";
import { inferTypes } from "../infer.ts";
import { Call } from "../rules/operator.ts";

/** The same model with every node as it is in evaluation; a node whose other outputs are read stays as it is. */
export function inEvaluation(model: Model): Model {
  const { graph } = model;
  if (!graph.nodes.some((node) => rulesOrNone(node).evaluation !== undefined)) return model;
  const types = inferTypes(graph);
  const read = new Set([
    ...graph.nodes.flatMap(({ inputs }) => inputs),
    ...graph.outputs.map(({ name }) => name),
  ]);
  const nodes = graph.nodes.map((node) => {
    const { evaluation } = rulesOrNone(node);
    if (evaluation === undefined) return node;
    const call = new Call(
      node,
      (name) => types.get(name),
      (name) => graph.parameters.get(name),
    );
    const changed = evaluation(call);
    return node.outputs.some((name) => read.has(name) && !changed.outputs.includes(name)) ? node : changed;
  });
  return { ...model, graph: { ...graph, nodes } };
}
