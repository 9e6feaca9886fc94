import { exportedProgram } from "../../graph/exported-program.ts";
import type { Graph } from "../../graph/model.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { type Tensor, zeros } from "../../tensor/tensor.ts";
import { isSupported, operatorOf } from "../index.ts";
import { Call } from "../rules/operator.ts";

/**
 * Restores biases that PyTorch's dynamo exporter leaves out because they are zero, as those of fresh layers
 * often are: PyTorch would train them. The recorded call shows that there was one.
 */
export function restoreBiases(graph: Graph): Graph {
  const program = exportedProgram(graph);
  if (program === undefined) return graph;
  const parameters = new Map(graph.parameters);
  const nodes = graph.nodes.map((node) => {
    const place = isSupported(node) ? operatorOf(node).bias : undefined;
    if (place === undefined || (node.inputs[place.input] ?? "") !== "") return node;
    const bias = program.argument(node, place.input);
    const weight = graph.parameters.get(node.inputs[1] ?? "");
    if (bias === undefined || weight === undefined || !isFloat(weight.dtype)) return node;
    const size = place.size(callOf(node, graph.parameters), weight.dims);
    const known = parameters.get(bias);
    if (graph.parameters.has(bias) || (known !== undefined && known.data.length !== size)) return node;
    parameters.set(bias, zeros(weight.dtype, [size]));
    return { ...node, inputs: [...node.inputs.slice(0, place.input), bias] };
  });
  return parameters.size === graph.parameters.size ? graph : { ...graph, nodes, parameters };
}

function callOf(node: Graph["nodes"][number], parameters: ReadonlyMap<string, Tensor>): Call {
  return new Call(
    node,
    () => undefined,
    (name) => parameters.get(name),
  );
}
