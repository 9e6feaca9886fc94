import { addDims, type Dim, type Shape } from "../../graph/dim.ts";
import { isInvented, layerOfParameter, moduleOf } from "../../graph/layer-names.ts";
import type { Model, Node, Value } from "../../graph/model.ts";
import { flopsOf } from "../../ops/flops.ts";
import { Call } from "../../ops/rules/operator.ts";
import { sizeOf, type Tensor } from "../../tensor/tensor.ts";
import { type AxisMap, flowMap } from "../find/axis-map.ts";
import { isReal } from "../plan/real-parameter.ts";

/** A model at a glance. */
export interface ModelSummary {
  readonly producer: string;
  readonly producerVersion: string | undefined;
  readonly irVersion: number;
  /** Operator-set version of each domain; "ai.onnx" is the standard one. */
  readonly opsets: Readonly<Record<string, number>>;
  /** What must be fed; parameters that the file lists among its inputs are not included. */
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** Number of entries in its weights: floating-point parameters other than scalars. */
  readonly parameters: number;
  /** FLOPs of one forward pass, in the model's symbolic sizes, without the nodes of `withoutRules`. */
  readonly flops: Dim;
  readonly nodes: number;
  /** Operators for which the library has no rules, or none for a form in which the model uses them. */
  readonly withoutRules: readonly string[];
  readonly layers: readonly LayerSummary[];
}

/** The nodes that share a layer name. */
export interface LayerSummary {
  readonly name: string;
  /** In the order in which they run, such as "MatMul", "Add". */
  readonly operators: readonly string[];
  /** Shape of the last one's output; undefined if it is unknown. */
  readonly output: Shape | undefined;
  readonly parameters: number;
  /** As in {@link ModelSummary.flops}. */
  readonly flops: Dim;
}

export function summarize(model: Model): ModelSummary {
  const { graph } = model;
  const flows = flowMap(graph);
  let parameters = 0;
  for (const tensor of graph.parameters.values()) if (isWeight(tensor)) parameters += sizeOf(tensor.dims);
  const unknown = graph.nodes.filter((node) => !flows.isRuled(node));
  return {
    producer: model.producer,
    producerVersion: model.producerVersion,
    irVersion: model.irVersion,
    opsets: Object.fromEntries([...model.opsets].map(([domain, version]) => [domain || "ai.onnx", version])),
    inputs: graph.inputs.filter(({ name }) => !graph.parameters.has(name)),
    outputs: graph.outputs,
    parameters,
    flops: graph.nodes.reduce<Dim>((total, node) => addDims(total, flopsOfNode(model, flows, node)), 0),
    nodes: graph.nodes.length,
    withoutRules: [...new Set(unknown.map(({ op, domain }) => (domain === "" ? op : `${domain}.${op}`)))],
    layers: layersOf(model, flows),
  };
}

function isWeight({ dtype, dims }: Tensor): boolean {
  return isReal(dtype) && dims.length > 0;
}

function flopsOfNode({ graph }: Model, flows: AxisMap, node: Node): Dim {
  const known = [...node.inputs, ...node.outputs].every((name) => name === "" || flows.types.has(name));
  if (!known || !flows.isRuled(node)) return 0;
  const call = new Call(
    node,
    (name) => flows.types.get(name),
    (name) => graph.parameters.get(name),
  );
  return flopsOf(call);
}

function layersOf(model: Model, flows: AxisMap): readonly LayerSummary[] {
  const { graph } = model;
  const sources = weightsBehind(model);
  const counted = new Set<string>();
  const seeds = new Set(flows.seeds.map(({ value }) => value));
  const layers = new Map<string, LayerSummary & { readonly operators: string[] }>();
  for (const node of graph.nodes) {
    const weights = [...new Set(node.inputs.flatMap((name) => sources.get(name) ?? []))];
    // A node that only prepares a weight (a transpose, a cast) belongs to the node that uses it.
    if (weights.length === 0 || node.outputs.every((name) => sources.has(name))) continue;
    const own = weights.find((name) => !isInvented(name));
    const name = own === undefined ? moduleOf(node) : layerOfParameter(own);
    // An unnamed constant that makes no width: a mask, a scale.
    if (own === undefined && !node.inputs.some((input) => seeds.has(input)) && flows.isRuled(node)) continue;
    const layer = name ?? (weights[0] as string);
    const before = layers.get(layer);
    const fresh = weights.filter((weight) => !counted.has(weight));
    for (const weight of fresh) counted.add(weight);
    const operators = before?.operators ?? [];
    operators.push(node.op);
    layers.set(layer, {
      name: layer,
      operators,
      output: flows.types.get(node.outputs[0] ?? "")?.shape,
      parameters: fresh.reduce(
        (sum, weight) => sum + sizeOf(graph.parameters.get(weight)?.dims ?? []),
        before?.parameters ?? 0,
      ),
      flops: addDims(before?.flops ?? 0, flopsOfNode(model, flows, node)),
    });
  }
  return [...layers.values()];
}

/** The weights that each constant value is made from: a parameter from itself, and so is its transpose. */
function weightsBehind({ graph }: Model): ReadonlyMap<string, readonly string[]> {
  const sources = new Map<string, readonly string[]>();
  for (const [name, tensor] of graph.parameters) {
    sources.set(name, isWeight(tensor) && sizeOf(tensor.dims) > 1 ? [name] : []);
  }
  for (const node of graph.nodes) {
    const inputs = node.inputs.filter((name) => name !== "");
    if (inputs.length === 0 || !inputs.every((name) => sources.has(name))) continue;
    const behind = [...new Set(inputs.flatMap((name) => sources.get(name) ?? []))];
    for (const name of node.outputs) sources.set(name, behind);
  }
  return sources;
}
