import { Session, type SessionSettings } from "../engine/session.ts";
import { encodeModel } from "../formats/onnx/index.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import { type Model, makeModel } from "../graph/model.ts";
import { newGraph, rulesOrNone } from "../ops/index.ts";
import { GraphCall } from "../ops/rules/operator.ts";

/** Compiles the graph with the requested values as its outputs. */
export async function compile(
  graph: GraphBuilder,
  outputs: readonly string[],
  options: SessionSettings,
): Promise<Session> {
  return Session.create(encodeModel(modelOf(lower(graph, outputs, options.threads ?? 1))), options);
}

/** The graph as a model that imports the domains of its nodes. */
function modelOf(graph: GraphBuilder): Model {
  const model = makeModel(graph.build("espalier"));
  const used = new Set(model.graph.nodes.map(({ domain }) => domain));
  const foreign = [...(graph.origin.opsets ?? [])].filter(([domain]) => domain !== "" && used.has(domain));
  return { ...model, opsets: new Map([...model.opsets, ...foreign]) };
}

/** The same graph in the nodes that ONNX Runtime runs fastest. */
function lower(graph: GraphBuilder, outputs: readonly string[], threads: number): GraphBuilder {
  const lowered = newGraph(graph.origin);
  lowered.reserveAll(graph);
  for (const input of graph.inputs) lowered.input(input.name, input);
  for (const [name, tensor] of graph.parameters) lowered.parameter(name, tensor);
  for (const node of graph.nodes) {
    const rule = rulesOrNone(node).lower;
    if (rule === undefined) lowered.add(node);
    else rule(new GraphCall(lowered, node), threads);
  }
  for (const name of new Set(outputs)) lowered.output(name);
  return lowered;
}
