import type { Graph } from "../../graph/model.ts";
import { roundoffOf } from "../../growth/examine/output-limits.ts";
import { isSupported, operatorOf } from "../../ops/index.ts";
import { inferTypes } from "../../ops/infer.ts";
import { anything, between, type Interval } from "../../ops/rules/interval.ts";
import { intervalOf } from "../../ops/rules/interval-rules.ts";
import { Call } from "../../ops/rules/operator.ts";

/**
 * The values that operators keep between -1 and 1 for any input (after a sigmoid, a softmax, a tanh), and that magnitude:
 * their kernels round as if values were that large.
 */
export function outputRanges(graph: Graph): ReadonlyMap<string, number> {
  const types = inferTypes(graph);
  const intervals = new Map<string, Interval>();
  for (const node of graph.nodes) {
    if (!isSupported(node) || node.inputs.some((name) => name !== "" && !types.has(name))) continue;
    const call = new Call(
      node,
      (name) => types.get(name),
      (name) => graph.parameters.get(name),
    );
    const inputs = node.inputs.map((name) => (name === "" ? undefined : (intervals.get(name) ?? anything)));
    const { least, most } = intervalOf(operatorOf(node), inputs, call);
    for (const name of node.outputs) intervals.set(name, between(least, most));
  }
  const narrow = [...intervals].filter(([, { least, most }]) => least >= -1 && most <= 1);
  return new Map(narrow.map(([name]) => [name, 1]));
}

/** Unit roundoff of the coarsest floating-point type of any value; undefined if no such type is known. */
export function coarsestRoundoff(graph: Graph): number | undefined {
  const all = [...inferTypes(graph).values()].flatMap(({ dtype }) => roundoffOf(dtype) ?? []);
  return all.length === 0 ? undefined : Math.max(...all);
}
