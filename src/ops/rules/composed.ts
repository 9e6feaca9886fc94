import type { GraphBuilder } from "../../graph/builder.ts";
import type { Call, Operator } from "./operator.ts";
import { dependents, rulesFrom, sweepBounds, sweepGradients } from "./sweep.ts";

/** Writes a call in other operators, and returns its outputs. */
export type Composition = (call: Call & { readonly graph: GraphBuilder }) => readonly string[];

/**
 * Gradient, rounding and lowering rules of an operator that is a composition of others, whose rules are
 * `rules`: either ONNX defines it that way, or it was added after the operator set that graphs are written
 * in.
 */
export function composed(
  rules: Readonly<Record<string, Operator>>,
  write: Composition,
): Required<Pick<Operator, "rounding" | "lower">> & {
  readonly gradient: Exclude<Operator["gradient"], "none">;
} {
  const rulesOf = rulesFrom(rules);
  const written = (call: Parameters<Composition>[0]) => {
    const before = call.graph.nodes.length;
    const outputs = write(call);
    return { outputs, nodes: call.graph.nodes.slice(before) };
  };
  return {
    gradient(call) {
      const { outputs, nodes } = written(call);
      const wanted = call.node.inputs.filter((name, index) => name !== "" && call.wants(index));
      const gradients = new Map<string, string>();
      outputs.forEach((name, index) => {
        const upstream = call.outputGradients[index];
        if (upstream !== undefined) gradients.set(name, upstream);
      });
      const active = dependents(call.graph, nodes, wanted, rulesOf);
      sweepGradients(call.graph, nodes, gradients, active, rulesOf);
      return call.node.inputs.map((name) => (active.has(name) ? gradients.get(name) : undefined));
    },

    rounding(call) {
      const bounds = new Map<string, string>();
      call.inputBounds.forEach((bound, index) => {
        if (bound !== undefined) bounds.set(call.node.inputs[index] as string, bound);
      });
      const { outputs, nodes } = written(call);
      sweepBounds(call.graph, nodes, bounds, rulesOf);
      return outputs.map((name) => bounds.get(name));
    },

    lower(call) {
      const { name, outputs } = call.node;
      write(call).forEach((value, index) => {
        if ((outputs[index] ?? "") === "") return;
        const identity = { name: `${name}.${index}`, op: "Identity", domain: "", attributes: {} };
        call.graph.add({ ...identity, inputs: [value], outputs: [outputs[index] as string] });
      });
    },
  };
}
