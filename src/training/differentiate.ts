import type { GraphBuilder } from "../graph/builder.ts";
import type { Node } from "../graph/model.ts";
import { operatorOf } from "../ops/index.ts";
import { type GradientCall, GraphCall } from "../ops/operator.ts";
import { isFloat } from "../tensor/dtype.ts";
import { EspalierError } from "../tensor/errors.ts";

/**
 * Reverse-mode differentiation: writes the backward pass of a scalar `loss` into the graph as ordinary ONNX
 * operators. Returns the name of dL/dv for each `v` of `wrt` that the loss depends on.
 */
export function differentiate(
  graph: GraphBuilder,
  loss: string,
  wrt: readonly string[],
): ReadonlyMap<string, string> {
  const type = graph.typeOf(loss);
  if (type.shape.some((dim) => dim !== 1)) {
    throw new EspalierError("SHAPE_MISMATCH", {
      thing: `loss "${loss}"`,
      rule: "must be a scalar",
      received: type.shape,
      remedy: "Reduce it, e.g. by ReduceMean.",
    });
  }
  const forward = [...graph.nodes];
  const active = dependents(graph, forward, wrt);
  const gradients = new Map<string, string>();
  if (active.has(loss)) gradients.set(loss, graph.emit("Identity", [graph.scalar(1)], {}, "gradient"));
  if (type.shape.length > 0 && active.has(loss)) {
    gradients.set(loss, graph.emit("Reshape", [graph.scalar(1), graph.vector(type.shape.map(() => 1))]));
  }
  for (const node of forward.reverse()) {
    const outputGradients = node.outputs.map((name) => gradients.get(name));
    if (outputGradients.every((gradient) => gradient === undefined)) continue;
    const rule = operatorOf(node).gradient;
    if (rule === "none") {
      throw new EspalierError("UNSUPPORTED_OPERATOR", {
        thing: `node "${node.name}"`,
        rule: "lies between a trained parameter and the loss, but its operator has no gradient",
        received: node.op,
        remedy: "Freeze what comes before it, or take the loss elsewhere.",
      });
    }
    const inputGradients = rule(new NodeGradient(graph, node, outputGradients, active));
    node.inputs.forEach((name, index) => {
      const gradient = inputGradients[index];
      if (gradient === undefined || !active.has(name)) return;
      const sum = gradients.get(name);
      gradients.set(name, sum === undefined ? gradient : graph.emit("Add", [sum, gradient]));
    });
  }
  const wanted = new Map<string, string>();
  for (const name of wrt) {
    const gradient = gradients.get(name);
    if (gradient !== undefined) wanted.set(name, gradient);
  }
  return wanted;
}

/** Every floating-point value that depends on one of `sources`. */
function dependents(
  graph: GraphBuilder,
  nodes: readonly Node[],
  sources: readonly string[],
): ReadonlySet<string> {
  const active = new Set(sources);
  for (const node of nodes) {
    if (operatorOf(node).gradient === "none") {
      // A value that a gradient-free operator makes (Shape, a comparison) is constant as far as the loss can tell.
      if (!node.outputs.some((name) => name !== "" && isFloat(graph.typeOf(name).dtype))) continue;
    }
    if (!node.inputs.some((name) => active.has(name))) continue;
    for (const name of node.outputs) {
      if (name !== "" && isFloat(graph.typeOf(name).dtype)) active.add(name);
    }
  }
  return active;
}

class NodeGradient extends GraphCall implements GradientCall {
  readonly outputGradients: readonly (string | undefined)[];
  readonly #active: ReadonlySet<string>;

  constructor(
    graph: GraphBuilder,
    node: Node,
    outputGradients: readonly (string | undefined)[],
    active: ReadonlySet<string>,
  ) {
    super(graph, node);
    this.outputGradients = outputGradients;
    this.#active = active;
  }

  get upstream(): string {
    return this.outputGradients[0] ?? this.fail("needs the gradient of its first output", this.node.outputs);
  }

  wants(index: number): boolean {
    return this.#active.has(this.node.inputs[index] ?? "");
  }
}
