import { Session, type SessionOptions } from "../engine/session.ts";
import { encodeModel } from "../formats/onnx/index.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import { makeModel } from "../graph/model.ts";
import { newGraph, operatorOf } from "../ops/index.ts";
import { GraphCall } from "../ops/operator.ts";

/** Compiles the graph with the values that will be asked for as its outputs. */
export async function compile(
  graph: GraphBuilder,
  outputs: readonly string[],
  options: SessionOptions,
): Promise<Session> {
  return Session.create(
    encodeModel(makeModel(lower(graph, outputs, options.threads ?? 1).build("espalier"))),
    options,
  );
}

/** The same graph in the nodes that ONNX Runtime computes fastest. */
function lower(graph: GraphBuilder, outputs: readonly string[], threads: number): GraphBuilder {
  const lowered = newGraph();
  lowered.reserveAll(graph);
  for (const input of graph.inputs) lowered.input(input.name, input);
  for (const [name, tensor] of graph.parameters) lowered.parameter(name, tensor);
  for (const node of graph.nodes) {
    const rule = operatorOf(node).lower;
    if (rule === undefined) lowered.add(node);
    else rule(new GraphCall(lowered, node), threads);
  }
  for (const name of new Set(outputs)) lowered.output(name);
  return lowered;
}
