import { type Model, makeModel } from "../../graph/model.ts";
import { newGraph } from "../../ops/index.ts";
import { Net, type NetOptions, type Parameters } from "./net.ts";
import type { State, Structure } from "./structure.ts";

/** The whole model as one graph, with its parameters under their names on disk. */
export function assemble(
  { inputs, sections, output }: Structure,
  parameters: Parameters,
  options: NetOptions = {},
): Model {
  const graph = newGraph();
  const net = new Net(graph, parameters, options);
  let state: State = Object.fromEntries(inputs.map((input) => [input.name, graph.input(input.name, input)]));
  for (const section of sections) state = section.build(net, state);
  const named = graph.emit("Identity", [state[output] as string], {}, output);
  graph.output(named);
  const built = graph.build("espalier");
  const rename = (name: string) => (name === named ? output : name);
  return makeModel({
    ...built,
    nodes: built.nodes.map((node) => ({ ...node, outputs: node.outputs.map(rename) })),
    outputs: built.outputs.map((value) => ({ ...value, name: rename(value.name) })),
  });
}
