import { defaultIrVersion, defaultOpset, type Model } from "../graph/model.ts";
import { EspalierError } from "../tensor/errors.ts";
import { newGraph, operatorOf } from "./index.ts";
import { GraphCall } from "./operator.ts";

/** The oldest opset whose broadcasting is today's. */
const oldest = 7;

/**
 * The same model in opset 20, which gradient and rounding rules are written in. Models of it or of a newer one are
 * returned as they are. Throws `INVALID_MODEL` where a call cannot be written so, `UNSUPPORTED_OPERATOR` where an
 * operator has no rules.
 */
export function raiseOpset(model: Model): Model {
  const opset = model.opsets.get("") ?? defaultOpset;
  if (opset >= defaultOpset) return model;
  if (opset < oldest) {
    throw new EspalierError("INVALID_MODEL", {
      thing: "model",
      rule: `must be of opset ${oldest} or newer to be trained or bounded`,
      received: opset,
      remedy: "Export it again with a newer opset.",
    });
  }
  const source = model.graph;
  const graph = newGraph();
  graph.reserve(source.nodes.flatMap(({ outputs }) => outputs));
  graph.reserve(source.inputs.map(({ name }) => name));
  graph.reserve(source.parameters.keys());
  for (const value of source.inputs) graph.input(value.name, value);
  for (const [name, tensor] of source.parameters) graph.parameter(name, tensor);
  for (const node of source.nodes) {
    const { raise } = operatorOf(node);
    graph.add(raise === undefined ? node : raise(Object.assign(new GraphCall(graph, node), { opset })));
  }
  return {
    ...model,
    irVersion: Math.max(model.irVersion, defaultIrVersion),
    opsets: new Map([...model.opsets, ["", defaultOpset]]),
    graph: { ...source, nodes: graph.nodes, parameters: graph.parameters },
  };
}
