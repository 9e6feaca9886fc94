import type { Origin } from "../../graph/builder.ts";
import { defaultIrVersion, defaultOpset, type Model, type Node, type ValueType } from "../../graph/model.ts";
import { EspalierError } from "../../tensor/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { isSupported, newGraph, operatorOf, rulesOrNone } from "../index.ts";
import { statedTypes } from "../infer.ts";
import { GraphCall } from "../rules/operator.ts";

/** The oldest opset with today's broadcasting. */
const oldest = 7;

/** The version of the standard operators that a model is written in. */
export function opsetOf(model: Model): number {
  return model.opsets.get("") ?? defaultOpset;
}

/**
 * A node of an older opset as rules that read old and new forms should understand it: itself, or itself with other
 * attributes. Undefined if opset 20 has no single node for it. `types` has those of its inputs.
 */
export function meantBy(
  node: Node,
  opset: number,
  types: ReadonlyMap<string, ValueType>,
  parameters: ReadonlyMap<string, Tensor>,
): Node | undefined {
  const { upgrade: raise } = operatorOf(node);
  if (opset >= defaultOpset || raise === undefined) return node;
  const graph = newGraph();
  for (const name of new Set(node.inputs)) {
    const tensor = parameters.get(name);
    if (tensor !== undefined) graph.parameter(name, tensor);
    else if (name !== "") graph.input(name, types.get(name) as ValueType);
  }
  try {
    const raised = raise(Object.assign(new GraphCall(graph, node), { opset }));
    // Several nodes, of other operators: what rules say about the last one does not apply to the call.
    if (raised.op !== node.op && graph.nodes.length > 0) return undefined;
    return raised.op === node.op && raised.inputs.length === node.inputs.length ? raised : node;
  } catch (error) {
    if (error instanceof EspalierError) return undefined;
    throw error;
  }
}

/** What a graph that is derived from a model takes from it. */
export function originOf({ graph, opsets }: Model): Origin {
  return { stated: statedTypes(graph), opsets };
}

/** Operators without rules whose calls changed their meaning, and the opset in which they did. */
const changed: Readonly<Record<string, number>> = { GridSample: 20, RoiAlign: 16, DFT: 20 };

/** Throws `UNSUPPORTED_OPERATOR` if a node without rules would mean something else in opset 20. */
function refuseChanged(node: Node, opset: number): void {
  if (isSupported(node)) return;
  const since = node.domain === "" ? (changed[node.op] ?? 0) : 0;
  const bodies = Object.values(node.attributes).flatMap((one) => (one.kind === "graph" ? [one.value] : []));
  const inner = bodies.flatMap(({ nodes }) => nodes);
  const raised = inner.find((one) => rulesOrNone(one).upgrade !== undefined);
  if (opset >= since && raised === undefined) {
    for (const one of inner) refuseChanged(one, opset);
    return;
  }
  throw new EspalierError("UNSUPPORTED_OPERATOR", {
    thing: `node "${(raised ?? node).name}" (${(raised ?? node).op})`,
    rule: `means something else in opset ${defaultOpset}, in which models are trained`,
    received: `opset ${opset}`,
    remedy: `Convert the model to opset ${defaultOpset} with onnx.version_converter.`,
  });
}

/**
 * The same model in opset 20, which gradient and rounding rules are written in. Models in opset 20 or newer are
 * returned unchanged. Throws `INVALID_MODEL` if a call cannot be written in it, `UNSUPPORTED_OPERATOR` if an
 * operator has no rules.
 */
export function upgradeOpset(model: Model): Model {
  const opset = opsetOf(model);
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
  const graph = newGraph(originOf(model));
  graph.reserveAll(source);
  for (const value of source.inputs) graph.input(value.name, value);
  for (const [name, tensor] of source.parameters) graph.parameter(name, tensor);
  for (const node of source.nodes) {
    const { upgrade: raise } = rulesOrNone(node);
    refuseChanged(node, opset);
    graph.add(raise === undefined ? node : raise(Object.assign(new GraphCall(graph, node), { opset })));
  }
  return {
    ...model,
    irVersion: Math.max(model.irVersion, defaultIrVersion),
    opsets: new Map([...model.opsets, ["", defaultOpset]]),
    graph: { ...source, nodes: graph.nodes, parameters: graph.parameters },
  };
}
