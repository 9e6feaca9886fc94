import { Session, type SessionOptions } from "../engine/session.ts";
import { encodeModel } from "../formats/onnx/index.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import { makeModel } from "../graph/model.ts";

/** Declares the values that will be asked for and compiles the graph. */
export async function compile(
  graph: GraphBuilder,
  outputs: readonly string[],
  options: SessionOptions,
): Promise<Session> {
  for (const name of new Set(outputs)) {
    if (!graph.outputs.some((value) => value.name === name)) graph.output(name);
  }
  return Session.create(encodeModel(makeModel(graph.build("espalier"))), options);
}
