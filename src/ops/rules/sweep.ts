import type { GraphBuilder } from "../../graph/builder.ts";
import type { Node } from "../../graph/model.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { EspalierError } from "../../tensor/errors.ts";
import { type GradientCall, GraphCall, type Operator, type RoundingCall } from "./operator.ts";

/** The rules of a node's operator. */
export type RulesOf = (node: Node) => Operator;

const constant: Operator = {
  infer: () => [],
  gradient: "none",
  axes: () => ({ ties: [] }),
  rounding: () => undefined,
};

/** Rules from a table; an operator that is not in it only makes constants or sizes, exact and without a gradient. */
export function rulesFrom(table: Readonly<Record<string, Operator>>): RulesOf {
  return ({ op }) => table[op] ?? constant;
}

/** Every floating-point value that depends on one of `sources`. */
export function dependents(
  graph: GraphBuilder,
  nodes: readonly Node[],
  sources: Iterable<string>,
  rulesOf: RulesOf,
): ReadonlySet<string> {
  const active = new Set(sources);
  const isActive = (name: string) => active.has(name);
  for (const node of nodes) {
    if (!node.inputs.some(isActive)) continue;
    const made = node.outputs.filter((name) => name !== "" && isFloat(graph.typeOf(name).dtype));
    // The output of a gradient-free operator (Shape, a comparison) is constant as far as a loss is concerned.
    if (rulesOf(node).gradient === "none" && made.length === 0) continue;
    for (const name of made) active.add(name);
  }
  return active;
}

/**
 * Writes the backward pass of `nodes` (in topological order): `gradients`, which starts with those of the results,
 * receives those of every value in `active` on the way. Throws `UNSUPPORTED_OPERATOR` if a node on the way has none.
 */
export function sweepGradients(
  graph: GraphBuilder,
  nodes: readonly Node[],
  gradients: Map<string, string>,
  active: ReadonlySet<string>,
  rulesOf: RulesOf,
): void {
  for (const node of [...nodes].reverse()) {
    const outputGradients = node.outputs.map((name) => gradients.get(name));
    if (outputGradients.every((gradient) => gradient === undefined)) continue;
    const rule = rulesOf(node).gradient;
    if (rule === "none") {
      throw new EspalierError("UNSUPPORTED_OPERATOR", {
        thing: `node "${node.name}"`,
        rule: "is between a trained parameter and the loss, but its operator has no gradient",
        received: node.op,
        remedy: "Freeze what comes before it, or choose another output for the loss.",
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
}

/** Writes, after every node, a bound on how far its float32 outputs may be from the exact ones, into `bounds`. */
export function sweepBounds(
  graph: GraphBuilder,
  nodes: readonly Node[],
  bounds: Map<string, string>,
  rulesOf: RulesOf,
): void {
  for (const node of nodes) {
    const inputs = node.inputs.map((name) => bounds.get(name));
    const result = rulesOf(node).rounding(new NodeRounding(graph, node, inputs));
    const list = typeof result === "string" ? [result] : (result ?? []);
    list.forEach((bound, index) => {
      const name = node.outputs[index] ?? "";
      if (bound !== undefined && name !== "") bounds.set(name, bound);
    });
  }
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
    return (
      this.outputGradients[0] ?? this.unruled("needs the gradient of its first output", this.node.outputs)
    );
  }

  wants(index: number): boolean {
    return this.#active.has(this.node.inputs[index] ?? "");
  }
}

class NodeRounding extends GraphCall implements RoundingCall {
  readonly inputBounds: readonly (string | undefined)[];

  constructor(graph: GraphBuilder, node: Node, inputBounds: readonly (string | undefined)[]) {
    super(graph, node);
    this.inputBounds = inputBounds;
  }
}
